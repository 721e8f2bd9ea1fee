//! Opening a journal after whatever happened: which segments there are, and where the last ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vitals::{Offset, ReceiveTime};

use crate::cursor::Cursor;
use crate::disk::Disk;
use crate::frame::{self, Chain, HEADER_BYTES, Hash};
use crate::segment::{Segment, push_index};
use crate::{JournalError, Recovery};

/// What the writer goes on from.
pub(crate) struct Tail {
    pub(crate) next: Offset,
    pub(crate) at: ReceiveTime,
    pub(crate) chain: Hash,
}

/// Segment files in the folder, oldest first.
pub(crate) fn segment_paths(disk: &dyn Disk, folder: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let mut names: Vec<String> = disk
        .list(folder)
        .map_err(|e| JournalError::io("listing", folder, e))?
        .into_iter()
        .filter(|name| name.len() == 24 && name.ends_with(".vwj"))
        .collect();
    names.sort_unstable();
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Opens all segments. A newest one whose creation was interrupted is removed: no entry can be in
/// it, as its header is made durable before the first.
pub(crate) fn open_segments(
    disk: &dyn Disk,
    folder: &Path,
) -> Result<Vec<Arc<Segment>>, JournalError> {
    let mut paths = segment_paths(disk, folder)?;
    if let Some(path) = paths.last() {
        let file = disk
            .open(path)
            .map_err(|e| JournalError::io("opening", path, e))?;
        let len = file
            .len()
            .map_err(|e| JournalError::io("measuring", path, e))?;
        let mut bytes = vec![0; len.min(HEADER_BYTES as u64) as usize];
        file.read_at(&mut bytes, 0)
            .map_err(|e| JournalError::io("reading", path, e))?;
        let whole = frame::Header::decode(&bytes).is_ok();
        if !whole && len <= HEADER_BYTES as u64 {
            tracing::warn!(file = %path.display(), "journal: removing a segment never completed");
            disk.remove(path)
                .map_err(|e| JournalError::io("removing", path, e))?;
            paths.pop();
        }
    }
    let segments: Vec<Arc<Segment>> = paths
        .into_iter()
        .map(|path| Segment::open(disk, path).map(Arc::new))
        .collect::<Result<_, _>>()?;
    for segment in &segments {
        if segment.path.file_name().and_then(|n| n.to_str())
            != Some(Segment::name(segment.header.base).as_str())
        {
            return Err(segment.corrupt(8, "the file's name and its first entry differ"));
        }
    }
    Ok(segments)
}

/// Walks the newest segment to its end. A torn last frame is cut off, and kept beside the segment
/// under a name of its own, for it was never acknowledged but may help in an inquiry.
///
/// # Errors
/// [`JournalError::Corrupt`] where a frame is broken that others follow.
pub(crate) fn find_tail(
    disk: &dyn Disk,
    folder: &Path,
    segment: &Segment,
    chain: &Chain,
) -> Result<(Tail, Recovery), JournalError> {
    let header = segment.header;
    let mut tail = Tail {
        next: header.base,
        at: header.at_before,
        chain: header.chain_before,
    };
    let mut index = Vec::new();
    let mut cursor = Cursor::new(segment, HEADER_BYTES as u64);
    let broken = loop {
        match cursor.next() {
            Ok(None) => break None,
            Ok(Some((position, frame))) => {
                check(segment, position, &frame, &tail, chain)?;
                push_index(&mut index, frame.first, position);
                tail.next += Offset::from(frame.count);
                tail.at = frame.at;
                tail.chain = frame.chain;
            }
            Err(JournalError::Corrupt { reason, .. }) => break Some(reason),
            Err(error) => return Err(error),
        }
    };
    let good = cursor.position();
    let mut recovery = Recovery::default();
    if let Some(reason) = broken {
        recovery = cut_off(disk, folder, segment, good, tail.next, reason)?;
    }
    segment.settle(good, index);
    Ok((tail, recovery))
}

/// Checks a frame against what came before it.
pub(crate) fn check(
    segment: &Segment,
    position: u64,
    frame: &frame::Frame<'_>,
    before: &Tail,
    chain: &Chain,
) -> Result<(), JournalError> {
    let reason = if frame.first != before.next {
        "entries are missing or repeated here"
    } else if frame.at < before.at {
        "its time is before that of the frame before"
    } else if chain.link(&before.chain, frame.body) != frame.chain {
        "the hash chain breaks here: content was altered, or the key is another"
    } else {
        return Ok(());
    };
    Err(segment.corrupt(position, reason))
}

fn cut_off(
    disk: &dyn Disk,
    folder: &Path,
    segment: &Segment,
    good: u64,
    next: Offset,
    reason: &'static str,
) -> Result<Recovery, JournalError> {
    let io = |doing| move |e| JournalError::io(doing, &segment.path, e);
    let mut torn = vec![0; (segment.len() - good) as usize];
    segment
        .file
        .read_at(&mut torn, good)
        .map_err(io("reading"))?;
    if frame::any_frame_in(&segment.header, next, torn.get(1..).unwrap_or_default()) {
        return Err(segment.corrupt(good, reason));
    }
    if torn.iter().any(|byte| *byte != 0) {
        let aside = folder.join(format!("torn-{next}.bin"));
        let keep = || {
            let file = disk.create(&aside)?;
            file.write_at(&torn, 0)?;
            file.sync()
        };
        if let Err(error) = keep() {
            tracing::warn!(file = %aside.display(), %error, "journal: torn bytes not set aside");
        }
    }
    tracing::warn!(
        file = %segment.path.display(), position = good, bytes = torn.len(), next,
        "journal: cut off an unfinished write; nothing acknowledged was in it"
    );
    segment.file.set_len(good).map_err(io("cutting"))?;
    segment.file.sync().map_err(io("syncing"))?;
    Ok(Recovery {
        torn_bytes: torn.len() as u64,
        torn_at: Some(next),
    })
}
