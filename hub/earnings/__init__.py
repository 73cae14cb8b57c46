"""Earnings: sales, the ledger of commissions, statements and payouts."""
