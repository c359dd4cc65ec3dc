"""What every other package of tools may lean on: errors, the calendar, text for terminals, files, counts.

Nothing here knows of patients, drugs or payers.
"""
