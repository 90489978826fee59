"""What runs beside the services: Prometheus, Grafana, and how both are made."""
