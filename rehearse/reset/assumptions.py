"""What a proof rests on that no document of Salesforce settles; each is named in every proof until it is confirmed."""

ASSUMPTIONS: tuple[str, ...] = (
    "formulas, roll-ups, audit fields, history, feed and share rows are not compared: they follow the compared fields",
    "a row is undeleted with every field value that it had when it was deleted; what differs is written again",
    "a lost call takes effect within 10 minutes or never",
    "what a profile shows depends only on the frozen manifest that both captures were retrieved with",
    "nobody else works as the user of this login while a reset runs: its writes count as our own",
    "of a flow the active version is compared, or the newest where none is active; the others by number alone",
    "an edit of somebody else on a row that automation of our own writes touches in the same pass counts as ours",
    "between the last read of a row and its write nobody edited it (each batch is read right before it is written)",
)
