//! What is opened, what is refused and how that is said.

use crate::store::testing::{at, entry, on_each, on_each_at, with_case};
use crate::store::{Store, StoreError};

#[tokio::test]
async fn no_connection_is_swept_for_its_age() {
    on_each(|store| async move {
        let options = store.pool.options();
        assert_eq!((options.get_idle_timeout(), options.get_max_lifetime()), (None, None));
    })
    .await;
}

#[tokio::test]
async fn migrating_twice_is_migrating_once() {
    on_each(|store| async move {
        with_case(&store, "case-1", 1).await;
        assert!(store.is_migrated().await.unwrap());
        store.migrate().await.unwrap();
        assert_eq!(store.schema_version().await.unwrap(), Some(super::known_version()));
        assert_eq!(store.list_cases(&[]).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_store_of_a_newer_reeve_is_refused() {
    on_each(|store| async move {
        sqlx::query("update _sqlx_migrations set version = 9999 where version = 1").execute(&store.pool).await.unwrap();
        let error = store.migrate().await.unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 9999, .. }), "{error}");
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/new.db", folder.path().display());
    let store = Store::open_and_migrate(&url).await.unwrap();
    sqlx::query("update _sqlx_migrations set version = 9999 where version = 1").execute(&store.pool).await.unwrap();
    store.close().await;
    let error = Store::open(&url).await.unwrap_err();
    assert!(error.to_string().contains("run the newer version of Reeve"), "{error}");
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/a b%20c#d.db", folder.path().display());
    let store = Store::open_and_migrate(&url).await.unwrap();
    let case = with_case(&store, "case-1", 1).await;
    // The first store stays open: nothing depends on an orderly end.
    let again = Store::open(&url).await.unwrap();
    assert!(again.is_migrated().await.unwrap());
    assert_eq!(again.get_case(&case.id).await.unwrap(), case);
    assert!(folder.path().join("a b%20c#d.db").exists(), "a path is taken as it is written");
}

#[tokio::test]
async fn who_reads_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none/reeve.db");
    assert!(Store::open_to_read(&format!("sqlite:{}", path.display())).await.is_err());
    assert!(!path.exists() && !path.parent().unwrap().exists());
}

#[tokio::test]
async fn a_path_with_a_slip_in_it_is_an_error_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none/reeve.db");
    let url = format!("sqlite:{}", path.display());
    for error in [Store::open_existing(&url).await.unwrap_err(), Store::open_to_read(&url).await.unwrap_err()] {
        assert!(matches!(&error, StoreError::Nothing { url: named } if *named == url), "{error}");
        assert!(error.to_string().contains("nothing was ever kept there"), "{error}");
    }
    assert!(!path.parent().unwrap().exists());
    // A file that somebody touched, and a database that nobody set up.
    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    let empty = format!("sqlite:{}/empty.db", folder.path().display());
    assert!(matches!(Store::open_existing(&empty).await, Err(StoreError::Nothing { .. })));
    on_each_at(|store, url| async move {
        if store.is_postgres() {
            store.statements(&["drop table _sqlx_migrations"]).await;
            assert!(matches!(Store::open_existing(&url).await, Err(StoreError::Nothing { .. })));
            assert!(matches!(Store::open_to_read(&url).await, Err(StoreError::Nothing { .. })));
        } else {
            Store::open_existing(&url).await.unwrap().close().await;
        }
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_store_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reeve.db");
    let url = format!("sqlite:{}", path.display());
    let modes = || {
        let mode = |beside: &str| {
            let file = format!("{}{beside}", path.display());
            std::fs::metadata(file).map(|found| found.permissions().mode() & 0o777).ok()
        };
        ["", "-wal", "-shm"].map(mode)
    };
    let store = Store::open_and_migrate(&url).await.unwrap();
    store.append_audit(&[entry("one")]).await.unwrap();
    assert_eq!(modes(), [Some(0o600); 3]);
    store.close().await;
    // One of an older version, and its backup.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let store = Store::open_existing(&url).await.unwrap();
    store.append_audit(&[entry("two")]).await.unwrap();
    assert_eq!(modes(), [Some(0o600); 3]);
}

#[tokio::test]
async fn a_store_that_can_not_be_written_is_read_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reeve.db");
    let url = format!("sqlite:{}", path.display());
    let store = Store::open_and_migrate(&url).await.unwrap();
    store.append_audit(&[entry("one")]).await.unwrap();
    store.close().await;
    // A folder where SQLite would write stands for a disk that can not be written, also for root.
    std::fs::create_dir(folder.path().join("reeve.db-wal")).unwrap();
    let before = std::fs::read(&path).unwrap();
    let reader = Store::open_to_read(&url).await.unwrap();
    assert_eq!(reader.verify_audit().await.unwrap().0, 1);
    assert!(reader.append_audit(&[entry("two")]).await.is_err());
    reader.close().await;
    assert_eq!(std::fs::read(&path).unwrap(), before);
    // What was written last stands beside it: to leave it out would be to tell less than there is.
    std::fs::remove_dir(folder.path().join("reeve.db-wal")).unwrap();
    std::fs::write(folder.path().join("reeve.db-wal"), "unfinished").unwrap();
    let error = super::no_unfinished_log(path.to_str().unwrap(), &url).unwrap_err().to_string();
    assert!(error.contains("copy both files"), "{error}");
}

#[tokio::test]
async fn memory_is_a_store_too() {
    let store = Store::open_and_migrate("sqlite::memory:").await.unwrap();
    store.append_audit(&[entry("one")]).await.unwrap();
    assert!(store.claim_due(at(0), 1, std::time::Duration::ZERO).await.unwrap().is_empty());
    assert_eq!(store.verify_audit().await.unwrap().0, 1);
}

#[tokio::test]
async fn each_connection_to_a_file_is_durable_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}/s.db", folder.path().display())).await.unwrap();
    for (pragma, expected) in [("pragma synchronous", 2), ("pragma foreign_keys", 1)] {
        let value: i64 = sqlx::query_scalar(pragma).fetch_one(&store.pool).await.unwrap();
        assert_eq!(value, expected, "{pragma}");
    }
    let mode: String = sqlx::query_scalar("pragma journal_mode").fetch_one(&store.pool).await.unwrap();
    assert_eq!(mode, "wal");
    assert!(!store.is_migrated().await.unwrap());
    let error = store.list_cases(&[]).await.unwrap_err().to_string();
    assert!(error.contains("run `reeve migrate`"), "{error}");
}

async fn refusal(url: &str) -> String {
    Store::open(url).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_wrong_url_says_what_is_wrong_and_hides_the_password() {
    for url in [
        "mysql://ada:s3cret@db/reeve",
        "reeve.db",
        "sqlite:",
        "sqlite:x.db?mode=ro",
        "postgres://db/reeve",
        "postgres://ada:s3cret@:x/reeve",
    ] {
        let error = refusal(url).await;
        assert!(error.contains("is no store"), "{url}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_can_not_be_a_store_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| format!("sqlite:{}/{name}", folder.path().display());
    std::fs::write(folder.path().join("text"), "x".repeat(4096)).unwrap();
    let error = refusal(&path("text")).await;
    assert!(error.contains("text is no SQLite database"), "{error}");
    let error = refusal(&path("text/below.db")).await;
    assert!(error.contains("below.db can not be made"), "{error}");
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    let error = refusal(&path("folder")).await;
    assert!(error.contains("folder can not be opened"), "{error}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named_without_its_password() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let error = refusal(&format!("postgres://ada:s3cret@127.0.0.1:{port}/reeve?password=s3cret")).await;
    assert_eq!(
        error,
        format!(
            "the store postgres://ada@127.0.0.1:{port}/reeve can not be reached: check that the database runs and \
             that host and port are right"
        )
    );
}
