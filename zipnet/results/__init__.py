"""What result files say, without torch and without pytest."""
