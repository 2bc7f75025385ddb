"""`talent demo`: one family and its joint ticket, told against the running service over HTTP.

Every sentence that is told has been checked first: a story that does not come true is not told.
`people` makes a new family, `papers` their documents, `desk` works like the departments' clerks,
`beginning`, `working` and `chapters` are the story, on the `stage`; `telling` says it in one
language, `notices` lets time pass.
"""

from service.local.story.chapters import tell
from service.local.story.telling import StoryBroken

__all__ = ["StoryBroken", "tell"]
