"""Promo materials: campaigns, banners, texts and files that partners use, each with their own link inside."""
