"""The HTTP server: whole requests for the application's threads, whatever clients do.

gunicorn's master keeps the processes (`worker`); in each of them one thread reads and writes all
connections (`channels`, on waitress) and hands what has arrived whole to the threads (`server`).
"""
