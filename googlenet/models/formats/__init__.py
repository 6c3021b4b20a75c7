"""What people take a network away in: source, JSON, a link, a file for another runtime."""
