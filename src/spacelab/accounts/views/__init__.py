"""The pages of accounts, grouped by what they are about."""
