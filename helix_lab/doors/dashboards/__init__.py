"""Dashboards: pages of Panel, each a function of the lab, shown through the Jupyter server."""
