"""What a task returned, as one self-contained HTML page."""
