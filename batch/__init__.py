"""What runs over many documents at once, beside the real-time way."""
