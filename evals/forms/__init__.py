"""Forms as payers and states print them, in words of our own, on which `pa form` is tried.

determination   a coverage determination, after the model of Medicare's plans: labels before fields, fields with names
state           a state's standard form: cells with small labels inside, fields named Text1, Text2, …, combs, choices
one_page        a pharmacy benefit manager's one page: flat, nothing but lines and squares to write on
"""
