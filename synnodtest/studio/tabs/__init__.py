"""The tabs of the page: each file holds what lies on one tab and what happens there."""
