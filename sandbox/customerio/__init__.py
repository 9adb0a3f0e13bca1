"""Customer.io's App API, simulated: a workspace with people, deliveries, activities and configuration."""
