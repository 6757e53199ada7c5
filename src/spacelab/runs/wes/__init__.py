"""Runs as the GA4GH Workflow Execution Service (WES) 1.1 knows them."""
