"""Training: webinars with their seats and questions, courses with lessons and a quiz."""
