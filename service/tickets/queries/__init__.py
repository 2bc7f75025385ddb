"""Reads of tickets, and who may see what.

`talent` for applicants, `desk` for staff, `enterprise` for employers.
"""
