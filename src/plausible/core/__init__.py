"""The vocabulary everything else is written in; read it first, in this order.

``registry``    names that choose functions and classes, and the one error a person sees
``space``       where the data live: ``Space``; what is drawn from it: ``Batch``
``likelihood``  what a model says of probability: ``LogProb`` and its ``Kind``
``schedule``    numbers that change while a budget is spent
``model``       ``Model``, ``Player``, ``Loss``, ``Clock``, and the verbs
"""
