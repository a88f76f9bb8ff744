//! The schema's migrations, as the program carries them: the files of `migrations/`, each known by its number, its words and the
//! hash of its text.
//!
//! A store keeps these three of every migration that made it, and refuses a program whose text hashes to something else: they
//! are read as sqlx's `migrate!` reads them, to the byte. That macro would have both databases' drivers built a second time, for
//! the compiler.

use std::sync::LazyLock;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

macro_rules! files {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_str!(concat!("migrations/", $name)))),+] };
}

/// Name and text of each, in their order.
const FILES: &[(&str, &str)] = files![
    "0001_start.sql",
    "0002_mirror.sql",
    "0003_events.sql",
    "0004_approval.sql",
    "0005_handoff.sql",
    "0006_kpi.sql",
    "0007_noise.sql",
    "0008_identity.sql",
    "0009_watermarks.sql",
    "0010_hands.sql",
    "0011_outbox_kinds.sql",
    "0012_plans.sql",
    "0013_stops.sql",
    "0014_counters.sql",
    "0015_sales.sql",
    "0016_donors.sql",
    "0017_queue.sql",
    "0018_changed.sql",
    "0019_duty.sql",
    "0020_modes.sql",
    "0021_told.sql",
    "0022_memories.sql",
    "0023_chat.sql",
    "0024_case_updates.sql",
    "0025_models.sql",
    "0026_teams.sql",
    "0027_notes.sql",
    "0028_planners.sql",
    "0029_words.sql",
    "0030_subjects.sql",
];

/// All of them.
pub(super) static MIGRATIONS: LazyLock<Migrator> =
    LazyLock::new(|| Migrator::with_migrations(FILES.iter().map(|(name, text)| migration(name, text)).collect()));

/// Of `0001_start.sql`: number 1, which is about `start`.
fn migration(name: &str, text: &'static str) -> Migration {
    let parts = name.strip_suffix(".sql").and_then(|name| name.split_once('_'));
    let (number, what) = parts.expect("they are named NUMBER_WORDS.sql above");
    let number = number.parse().expect("their names begin with a number above");
    let alone = text.starts_with("-- no-transaction");
    Migration::new(number, what.replace('_', " ").into(), MigrationType::Simple, text.into_sql_str(), alone)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sqlx::Row as _;
    use sqlx::migrate::Migrator;

    use super::{FILES, MIGRATIONS};
    use crate::store::testing::on_each;

    /// What stores that are out there hold of each. A line is never changed: the text of a migration is final once it has run.
    const KEPT: &[&str] = &[
        "1 start fd52d27d66beb4a0395b6c1119fde7c64b9147575c59c081cd2e5bc99067cbcd726153a469f8793fbe7cc83681a2c83e",
        "2 mirror af668348cbed27127feccf30ab4a1f7fbfbfc4c329bba333f0492f944284dabfdbd98f212f6f1c7b780b75f0ce2e3525",
        "3 events e48258c33c897adc1809c408397f646f1968cc6bb4697aa1552eab5a2289b8661f55dd42df9e63e935004d5c44964605",
        "4 approval fd662ad669f0332418fede644fa90c24826af58ca2bb3394481431c733fd91587bfae5b9cb4921f585f138766b49bdc2",
        "5 handoff f33d656c0a2c8a12f3513f7c86cb51bbf6d298717dc616d582a02d4edf19ce5a796a306c78e2cead5e1dcceacdf868bf",
        "6 kpi 437a03aeb5d3adfa32253f7c71098774e195a88d39efee8ac06024b585d04d227f7627c6ed2108dafd731f5f0e1bbdb7",
        "7 noise 1378abc5cda1baa660df0f17a48fa594d6236e9bbe6d62095efa57a4ffde8bd9b98893d2f6ae04846e0aa6faa0c35f17",
        "8 identity 96a345abfbaa2f9b30ad6b5f49e2d520088cf974a940758e77b58dbf68223f47bc32630576f4edee72996b957049e3db",
        "9 watermarks 8f24760aabf8867426dddd12a358219ba4613b1d2e6a0084fac91c412c76819bb4b194e8b931d5d3aa53ff390a2d4cbc",
        "10 hands bba9473d4ea6c90f733b2e402f4f6d86836cd030e856bf8b15cb62b4fd75b0e79bba8c81831a2d5d2b799c48a18a8b9f",
        "11 outbox kinds 599e19caeddb434fc97fad1f67c8eb7b7d5993e07660ac74da2d04baee1bf99be51948d50f5fdb8b2696faeaccf731d6",
        "12 plans 6970f8956c80d794af8c5df278ff320dad8da67baeb482493d53b44f0d2f766669cafc512c826adf0bf6bf147c49a779",
        "13 stops b2cc52b6ab83933f0daa84beec34906c9e5d5fcd2f832974f8a751dbb957fdbb33f25181b1fdba406ff5fc01ce52b68d",
        "14 counters 67bfb9f9ac34469b50acab67a4dfa67f9319dd940586c3b84dcb78ea0f85b8bfc728fb84741d46939598591188ae2160",
        "15 sales 32602282b39cd407b2363bc5910bc80330503b5d3b32877446ea334dd6631747e38c2f36d08102f2d33f3cb7aaedffdd",
        "16 donors 340d89c898a2998ecf6790743ec0ca4ac2f3e6780d9e5f2a69760e6c656844d2ef87f7a80b51faee8ebefc72555d00d1",
        "17 queue 975052f28d2886a7fa936d7dd299e55c37aaeb2d9f2bbc5ed056731fad025d86ab3b53d03f40faf29d2ffc1dbd7196ab",
        "18 changed 68aa8f3158bf7db4480f2a9de82f65b887143b5cd6f98cc824334a77247b081c3515941caa7fd6466c68799f1d4b344b",
        "19 duty 5b1df4a7f4cb61eb1ea6d27db0d7d9f5c9424641644a7b4e2cb4f153944cb3a92bf29292cc4d389a6937ef501066678c",
        "20 modes a6e45d2eb15afa7de6178b3f9db703e6aa019d21fb7d17f42edfc5803585c25decbb1f9d7f0e321dc78a0208ece1f2ed",
        "21 told 3426f4e95bde28db9039aea8748a62a7ec6d4f9d4a53368febb62366f31b5488a896019a21240a37d741683a1075f066",
        "22 memories 5f7bc6e9d4a1c8f9ff2f38893a33cce77ef55bef947989cb1fc8b289db3308d398d210630062647858bb6d09d8637ba2",
        "23 chat 896f919c6a28f0999aa3ee18b30cb51472a33bb0fdb7bf75fdfe5133b8b4ce89eb4e67e0d782cf6fb14bfa4838da9a87",
        "24 case updates 0e0036e31283d89b88a0bf6ddf3bf788ea1af52a81be74840fc9b0690c787c731ea8b7852d8e0d3896f08a1cac19dbd2",
        "25 models b0882b22e7c90128e661ccab2b6699c2542272c63828fee067711c1546f5cff4f666fde8585b7374664be1bcb235f25b",
        "26 teams 0d635e5b98737e69c5abbc32115c3c01124c91e53c1d74db24fe00ce05b8367113c3d3d07ed406b4af4dbcc24253a0ce",
        "27 notes deb787b980b29ba306edbce98d9347519efc0cd01a14557cb96745dfc1c198435d7b4c0f106430b380fb2be348839181",
        "28 planners 98f65612f1abe34cfdefbbc8bad7b64998ec21757a00285c5178b6b964aeb67734660079bf884e18f0000a025d6e29ff",
        "29 words c17158afb72cc3a93fab989702c99a9066fd69a24efcd3b8f4589090b3630115661ffe9caf9ecbfece75df51e6581d8a",
        "30 subjects cefc10c96c694e5ed3dcdde2ae927556a1b3122e6303080f346c65f7426ddd6740ef2104e72627f327362d91d4c6c3e7",
    ];

    #[tokio::test]
    async fn stores_of_earlier_programs_know_them() {
        on_each(|store| async move {
            let sql = "select version, description, checksum from _sqlx_migrations where success order by version";
            let rows = sqlx::query(sql).fetch_all(&store.pool).await.unwrap();
            let kept: Vec<String> = rows
                .iter()
                .map(|row| {
                    let (version, what): (i64, String) = (row.get("version"), row.get("description"));
                    format!("{version} {what} {}", hex::encode(row.get::<Vec<u8>, _>("checksum")))
                })
                .collect();
            assert_eq!(kept, KEPT);
        })
        .await;
    }

    #[tokio::test]
    async fn they_are_the_files_of_the_folder_as_sqlx_reads_it() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/migrations");
        let read = Migrator::new(folder.as_path()).await.unwrap();
        assert_eq!(read.iter().count(), FILES.len(), "a file in {} is not in FILES, or one is too many", folder.display());
        for (ours, theirs) in MIGRATIONS.iter().zip(read.iter()) {
            assert_eq!((ours.version, &ours.description), (theirs.version, &theirs.description));
            assert_eq!((ours.migration_type, ours.no_tx), (theirs.migration_type, theirs.no_tx));
            assert_eq!((ours.sql.as_str(), &ours.checksum), (theirs.sql.as_str(), &theirs.checksum));
        }
    }
}
