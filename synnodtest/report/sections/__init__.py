"""The sections of the report, each a pure function from the record to what its template shows."""
