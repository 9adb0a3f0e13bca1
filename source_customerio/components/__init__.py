"""Custom components for Customer.io."""
