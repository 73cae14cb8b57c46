"""Files of a mail: each passes the same rules as an upload, and what does not pass is named."""

import io
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import FileStorage

from ..core import storage, uploads
from ..core.errors import HubError
from ..core.mail.receive import Received
from ..core.settings import settings
from .messages import File

#: A mail with more files is a mistake, or worse.
MOST = 50


@dataclass
class Kept:
    """Files that are kept, and the names and sizes of those that are not."""

    files: list[File] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)


def keep(received: Received) -> Kept:
    """Examine and store the files of a mail that a person wrote. Never raises for what a file is."""
    kept = Kept()
    if received.automatic:
        return kept
    room = settings.max_upload_mb * 1_000_000
    for each in received.files:
        try:
            if len(kept.files) >= MOST:
                raise uploads.BadFile
            checked = uploads.examine(
                FileStorage(io.BytesIO(each.content), filename=each.name), limit=max(room, 0)
            )
            stored = storage.store(checked.stream, limit=checked.size)
            room -= len(each.content)
            kept.files.append(File(stored, checked.name, checked.mime))
        except HubError:
            kept.left_out.append({"name": uploads.safe_name(each.name), "size": len(each.content)})
    return kept
