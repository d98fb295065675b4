"""The record for machines: JUnit properties, SARIF, parquet."""
