"""The joint ticket: filed once, split into items, worked on as tasks, told as a timeline."""
