"""What departments see and do: lists, tasks, claims, decisions."""
