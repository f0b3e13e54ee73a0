"""What runs have stored: how much it is, what needs what, whether it is as it was written, and what can go."""
