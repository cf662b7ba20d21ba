"""Pages and endpoints.

    languages    which language a reader gets, and what a sentence is in it
    rendering    templates, and how money, moments and numbers are printed
    guard        who may: sign-in, forgery protection, security headers
    errors       what went wrong, as a page or as JSON
    forms        reading what people send

Then one module a page, in the order in which goods move.
"""
