"""A disk that is full when a test says so: a small file system in memory, which only root may mount."""

import os
import subprocess

import pytest

SIZE = 48 << 20


class SmallDisk:
    def __init__(self, folder):
        if os.geteuid() != 0:
            pytest.skip("a disk that runs full needs a mount, and a mount needs root")
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        self.folder = folder
        self.ballast = folder / "ballast"

    def fill(self):
        with self.ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while file.write(b"\0" * size):
                        pass
                except OSError:
                    pass

    def free(self):
        self.ballast.unlink()

    def unmount(self):
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
