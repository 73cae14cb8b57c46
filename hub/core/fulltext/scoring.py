"""How well a document answers a question; both engines count with these numbers.

BM25F (Robertson and Zaragoza 2009): how often a word stands in each field is weighed, divided by how long
the field is, and added up before it saturates, so a word that is everywhere in one document never outweighs
a second word of the question. How rare a word is counts over whole documents, as far as the reader sees them.

A title (or the headings) that holds most of the question is worth more than its words one by one: the
words' weight there is added again, times the square of the share of the question that they make up.
"""

from math import log

#: How much a word counts by where it is, before saturation.
WEIGHTS = {"title": 15.0, "headings": 15.0, "body": 1.0}
#: How slowly a word saturates, and how much the length of each field matters (0 not at all, 1 fully).
K1 = 2.5
B = {"title": 0.5, "headings": 0.5, "body": 0.75, "surface": 0.5}
#: The fields whose words count again when they stand together.
TOGETHER = ("title", "headings")
#: A title or heading that holds a word in the very form that was typed.
SURFACE = 0.7
#: A code (number, address) typed exactly outranks any text.
CODE = 1000.0
#: The team's own best answer comes before everything.
BEST = 10_000.0
#: Hits this much weaker than the best one are noise: they are neither shown nor counted.
FLOOR = 0.1
#: A document that only holds words which together make up less than this share of the question is no answer.
LEAST_SHARE = 0.3

#: So many documents are weighed for one question; words that bring in more are only counted where they are.
MOST_CANDIDATES = 1500


def rarity(having: int, documents: int) -> float:
    """The weight of a word that `having` of all `documents` hold; 1 for a word that is everywhere."""
    return max(log(max(documents, 1) / (having + 1)) + 1, 0.1)


def saturated(frequency: float) -> float:
    """The worth of a weighed frequency: grows quickly at first, and never beyond K1 + 1."""
    return (K1 + 1) * frequency / (frequency + K1)


def shortness(field: str, length: float, average: float) -> float:
    """What a match in a field of this length is worth beside one in a field of average length."""
    return 1 / (1 - B[field] + B[field] * length / average)
