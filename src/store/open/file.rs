//! The file of a store, which is for its owner alone.

use std::path::Path;

use crate::store::StoreError;

pub(super) fn make_folder(path: &str, url: &str) -> Result<(), StoreError> {
    match Path::new(path).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder).map_err(|error| StoreError::Unavailable {
                url: url.to_owned(),
                problem: "can not be made",
                advice: "check that its folder exists and that this user may write to it",
                source: Box::new(error),
            })
        }
        _ => Ok(()),
    }
}

/// Makes the file so that only its owner may read it: it holds prices, names and who decided what. SQLite gives the files
/// beside it the same rights.
pub(super) fn make_private(path: &str, url: &str) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        // What can not be made is said in one voice with what can not be opened.
        Err(_) if Path::new(path).is_dir() => Ok(()),
        Err(error) => Err(StoreError::Unavailable {
            url: url.to_owned(),
            problem: "can not be made",
            advice: "check that its folder exists and that this user may write to it",
            source: Box::new(error),
        }),
    }
}

/// Takes from a file that is there, and from those beside it, the rights of everybody but its owner, and says so once.
pub(super) fn keep_private(path: &str) {
    #[cfg(unix)]
    for beside in ["", "-wal", "-shm"] {
        use std::os::unix::fs::PermissionsExt as _;
        let file = format!("{path}{beside}");
        let Ok(found) = std::fs::metadata(&file) else { continue };
        // Group and others have the six low bits: where all six are zero, the file is its owner's alone.
        let mode = found.permissions().mode() & 0o777;
        if !found.is_file() || mode.trailing_zeros() >= 6 {
            continue;
        }
        match std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)) {
            Ok(()) => {
                tracing::warn!("{file} could be read by others (mode {mode:03o}); it is for its owner alone now (600)");
            }
            Err(error) => {
                tracing::warn!("{file} can be read by others (mode {mode:03o}): run chmod 600 on it as its owner ({error})");
            }
        }
    }
}

/// May the file or its folder not be written, so that it can be read in another way only?
pub(super) fn is_unwritable(error: &StoreError) -> bool {
    let StoreError::Unavailable { source, .. } = error else { return false };
    let Some(sqlx::Error::Database(said)) = source.downcast_ref::<sqlx::Error>() else { return false };
    // Read-only, or no file can be opened beside it; the primary code is the low byte.
    said.code().and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| matches!(code & 0xff, 8 | 14))
}

/// What was written last can stand in a file beside it, which is not read without locks.
pub(super) fn no_unfinished_log(path: &str, url: &str) -> Result<(), StoreError> {
    let wal = format!("{path}-wal");
    if std::fs::metadata(&wal).is_ok_and(|found| found.is_file() && found.len() > 0) {
        return Err(StoreError::Unavailable {
            url: url.to_owned(),
            problem: "can not be read where it lies",
            advice: "it was not closed (a file ending in -wal holds what was written last), and its disk can not be written: \
                     copy both files to a disk that can",
            source: wal.into(),
        });
    }
    Ok(())
}
