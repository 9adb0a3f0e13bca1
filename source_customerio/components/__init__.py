"""The few things about Customer.io that the declarative language cannot say."""
