"""Everything that tests write goes to a folder that is gone afterwards; it is chosen before `config` is read."""

import os
import tempfile

FOLDER = tempfile.TemporaryDirectory()
os.environ["PARTITA_TRAINING_DIR"] = FOLDER.name
