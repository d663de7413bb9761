"""Signing in by name and password, against strangers who guess, flood or look around.

address   where a client is, as our own proxy saw it; never what a client says of itself
attempt   one password that was tried; wrong ones are counted, and counts expire
device    a browser in which a person has signed in before; its attempts count apart, so
          that nobody else's wrong ones keep its owner out
turn      when a password is hashed: two at a time, the addresses one after the other
link      a one-time way in for an administrator, made on the machine itself
"""
