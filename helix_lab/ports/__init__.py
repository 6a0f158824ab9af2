"""What the flow needs from outside, as abstract classes with full contracts."""
