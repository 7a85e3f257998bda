"""What other systems and files hold, brought into a project."""
