//! Backups: whole, consistent while others write, and never a way back for what was revoked.

use crate::support::dice::times;
use crate::support::{BEGIN, Database, Site, runtime};
use licentia_server::clock::Clock;
use licentia_server::error::{Code, Error};
use licentia_server::operations::backup::backup;
use licentia_server::operations::restore::{How, Restored, restore};
use licentia_server::store::rows::{self, Row};
use licentia_server::store::{
    Store, api_keys, documents, events, key_pairs, licenses, meta, migrations, organizations,
    products, seats, signing_keys,
};
use sea_orm::prelude::Uuid;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tempfile::TempDir;

/// In place of what is there.
pub const FORCE: How = How { force: true, keep_webhooks: false };

/// A place for backups.
pub struct Shelf(TempDir);

impl Shelf {
    pub fn new() -> Shelf {
        Shelf(tempfile::tempdir().unwrap())
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Everything that is in a store, in order.
async fn everything(store: &Store) -> Vec<(String, Vec<Row>)> {
    let moment = store.snapshot().await.unwrap();
    let mut all = Vec::new();
    for table in rows::tables().unwrap() {
        let mut found: Vec<Row> = Vec::new();
        loop {
            let page = table.page(&moment, found.last()).await.unwrap();
            let last = page.len() < table.at_once();
            found.extend(page);
            if last {
                break;
            }
        }
        all.push((table.name().to_string(), found));
    }
    moment.rollback().await.unwrap();
    all
}

/// A row of a license that says little.
pub fn license(organization: Uuid, product: Uuid, serial: &str) -> licenses::Model {
    licenses::Model {
        id: Uuid::now_v7(),
        organization_id: organization,
        product_id: product,
        policy_id: None,
        serial: serial.into(),
        license_type: "subscription".into(),
        customer_id: None,
        customer_email: Some("Ann@Example.com".into()),
        customer_email_lower: Some("ann@example.com".into()),
        customer_name: Some("Zoë \"Ann\"\n\u{1f600}".into()),
        valid_from: BEGIN,
        valid_until: Some(i64::MAX),
        features_json: "[]".into(),
        max_seats: 5,
        max_machines: None,
        hardware_binding_json: None,
        terms_json: "{}".into(),
        token: "a.b.c".into(),
        token_id: serial.into(),
        token_at: BEGIN,
        key_digest: None,
        key_hint: None,
        suspended_at: None,
        revoked_at: None,
        reason: None,
        transfers: 0,
        announced: 0,
        created_at: BEGIN,
        updated_at: BEGIN,
        search: String::new(),
    }
}

fn product(organization: Uuid, code: &str, pair: Uuid) -> products::Model {
    products::Model {
        id: Uuid::now_v7(),
        organization_id: organization,
        name: code.into(),
        code: code.into(),
        description: None,
        default_features_json: "[]".into(),
        default_valid_days: 365,
        key_pair_id: Some(pair),
        revocations_version: 0,
        created_at: BEGIN,
        updated_at: BEGIN,
    }
}

fn pair(organization: Uuid, epoch: i64) -> key_pairs::Model {
    key_pairs::Model {
        id: Uuid::now_v7(),
        organization_id: organization,
        name: "main".into(),
        epoch,
        created_at: BEGIN,
        updated_at: BEGIN,
    }
}

fn signing_key(pair: &key_pairs::Model, kid: &str) -> signing_keys::Model {
    signing_keys::Model {
        id: Uuid::now_v7(),
        organization_id: pair.organization_id,
        key_pair_id: pair.id,
        kid: kid.into(),
        public_key: "ed25519:x".into(),
        roles: "license".into(),
        state: "active".into(),
        sealed: "sealed".into(),
        created_at: BEGIN,
        retired_at: None,
        compromised_at: None,
    }
}

fn document(product: &products::Model, version: i64) -> documents::Model {
    documents::Model {
        organization_id: product.organization_id,
        product_id: product.id,
        kind: "revocations".into(),
        version,
        token: "a.b.c".into(),
        sha256: "x".into(),
        created_at: BEGIN,
    }
}

pub async fn add<E: EntityTrait>(store: &Store, row: impl IntoActiveModel<E::ActiveModel>)
where
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    let transaction = store.begin().await.unwrap();
    let row: E::ActiveModel = row.into_active_model();
    E::insert(row).exec_without_returning(&transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Something in the tables that are told apart by how they are made.
async fn fill(store: &Store, organization: Uuid, count: usize) -> products::Model {
    let pair = pair(organization, 1);
    let product = product(organization, "one", pair.id);
    add::<signing_keys::Entity>(store, signing_key(&pair, "k1")).await;
    add::<key_pairs::Entity>(store, pair).await;
    for at in 0..count {
        let license = license(organization, product.id, &format!("LIC-{at:05}"));
        let seat = seats::Model {
            organization_id: organization,
            license_id: license.id,
            seat: 1,
            id: Uuid::now_v7(),
            holder: "ann".into(),
            installation: None,
            activation_id: None,
            borrowed: at % 2 == 0,
            acquired_at: BEGIN,
            renewed_at: BEGIN,
            expires_at: BEGIN + 60,
            released_at: None,
        };
        let event = event(organization, license.id);
        let transaction = store.begin().await.unwrap();
        licenses::Entity::insert(license.into_active_model())
            .exec_without_returning(&transaction)
            .await
            .unwrap();
        seats::Entity::insert(seat.into_active_model())
            .exec_without_returning(&transaction)
            .await
            .unwrap();
        events::insert(&transaction, vec![event]).await.unwrap();
        transaction.commit().await.unwrap();
    }
    for version in 1..=9 {
        add::<documents::Entity>(store, document(&product, version)).await;
    }
    add::<products::Entity>(store, product.clone()).await;
    product
}

fn event(organization: Uuid, subject: Uuid) -> events::Model {
    events::Model {
        seq: 0,
        id: Uuid::now_v7(),
        organization_id: organization,
        kind: "license.created".into(),
        subject: subject.to_string(),
        data_json: "{}".into(),
        actor: "test".into(),
        request_id: None,
        created_at: BEGIN,
        claimed_until: None,
        delivered_at: None,
    }
}

async fn last_event(store: &Store) -> i64 {
    events::Entity::find().all(store.read()).await.unwrap().iter().map(|it| it.seq).max().unwrap()
}

/// The databases that a backup goes to: empty ones of each engine that is here.
fn empty() -> Vec<Database> {
    [Some(Database::sqlite()), Database::postgres()].into_iter().flatten().collect()
}

both! {
    fn a_backup_restores_whole_into_either_database(site: &Site) {
        let shelf = Shelf::new();
        let file = shelf.file("backup");
        // More than a page of every size.
        let made = site.wait(async {
            fill(&site.server.store, site.organization, 450).await;
            backup(&site.server.store, &site.clock, &file).await.unwrap()
        });
        assert_eq!(made.made_at, BEGIN);
        assert_eq!(made.bytes, fs::metadata(&file).unwrap().len());
        let before = site.wait(everything(&site.server.store));
        let count: usize = before.iter().map(|(_, rows)| rows.len()).sum();
        assert_eq!(made.rows, count as u64);
        assert!(count > 1_300, "{count}");
        for database in empty() {
            site.wait(async {
                let store = database.open().await;
                let restored = restore(&store, &file, How::default()).await.unwrap();
                let wanted = Restored {
                    rows: made.rows,
                    made_at: BEGIN,
                    still_revoked: 0,
                    webhooks_disabled: 0,
                };
                assert_eq!(restored, wanted);
                for (was, is) in before.iter().zip(everything(&store).await) {
                    // That it was restored is noted.
                    match is.0.as_str() {
                        "audit" | "audit_heads" => assert_eq!(is.1.len(), 1),
                        table => assert!(*was == is, "{table}: {} rows", is.1.len()),
                    }
                }
                // It is a database like any other: it starts, and events go on after the last.
                migrations::migrate(&store).await.unwrap();
                let last = last_event(&store).await;
                add::<events::Entity>(&store, events::ActiveModel {
                    seq: sea_orm::NotSet,
                    ..event(site.organization, Uuid::nil()).into_active_model()
                }).await;
                assert!(last_event(&store).await > last);
                store.close().await;
            });
        }
    }

    fn a_database_in_use_is_not_replaced_by_accident(site: &Site) {
        let shelf = Shelf::new();
        let file = shelf.file("backup");
        site.wait(async {
            let store = &site.server.store;
            backup(store, &site.clock, &file).await.unwrap();
            fill(store, site.organization, 3).await;
            let before = everything(store).await;
            let error = restore(store, &file, How::default()).await.unwrap_err();
            assert_eq!(error.code(), Code::Conflict);
            assert!(error.detail().contains("--force"), "{error}");
            assert_eq!(everything(store).await, before);
            restore(store, &file, FORCE).await.unwrap();
            let after = everything(store).await;
            let licenses = after.iter().find(|(name, _)| name == "licenses").unwrap();
            assert!(licenses.1.is_empty());
        });
    }

    fn a_backup_under_an_earlier_master_key_replaces_no_keys(site: &Site) {
        let shelf = Shelf::new();
        let file = shelf.file("backup");
        site.wait(async {
            let store = &site.server.store;
            fill(store, site.organization, 1).await;
            backup(store, &site.clock, &file).await.unwrap();
            let tx = store.begin().await.unwrap();
            meta::set(&tx, "master_key", "another".into()).await.unwrap();
            tx.commit().await.unwrap();
            let before = everything(store).await;
            let error = restore(store, &file, FORCE).await.unwrap_err();
            assert_eq!(error.code(), Code::Conflict);
            assert!(error.detail().contains("master key"), "{error}");
            assert_eq!(everything(store).await, before);
        });
    }

    fn what_was_revoked_stays_so_after_the_database_is_replaced(site: &Site) {
        let shelf = Shelf::new();
        let file = shelf.file("backup");
        site.wait(async {
            let store = &site.server.store;
            let one = fill(store, site.organization, 3).await;
            backup(store, &site.clock, &file).await.unwrap();
            let later = revoke(store, site.organization, &one).await;
            let last = last_event(store).await;
            let restored = restore(store, &file, FORCE).await.unwrap();
            // One that the backup knew as good, one of a product that it knew, one of a product
            // that it did not.
            assert_eq!(restored.still_revoked, 3);
            let licenses = licenses::Entity::find().all(store.read()).await.unwrap();
            let revoked = |it: &&licenses::Model| it.revoked_at == Some(BEGIN + 5);
            assert_eq!((licenses.len(), licenses.iter().filter(revoked).count()), (5, 3));
            let product = products::Entity::find_by_id(later.product.id);
            assert_eq!(product.one(store.read()).await.unwrap(), Some(later.product));
            let pair = key_pairs::Entity::find_by_id(later.pair.id);
            assert_eq!(pair.one(store.read()).await.unwrap(), Some(later.pair));
            let same = products::Entity::find_by_id(one.id).one(store.read()).await.unwrap();
            assert_eq!(same.unwrap().revocations_version, 77);
            let documents = documents::Entity::find().all(store.read()).await.unwrap();
            assert_eq!(documents.iter().map(|it| it.version).max(), Some(78));
            // What was stolen, and what came in its place.
            let keys = signing_keys::Entity::find().all(store.read()).await.unwrap();
            let state = |kid: &str| keys.iter().find(|it| it.kid == kid).unwrap().state.clone();
            assert_eq!((state("k1"), state("k2")), ("compromised".into(), "active".into()));
            let pairs = key_pairs::Entity::find_by_id(one.key_pair_id.unwrap());
            assert_eq!(pairs.one(store.read()).await.unwrap().unwrap().epoch, 2);
            // An API key that was taken away, and one that was made since.
            let keys = api_keys::Entity::find().all(store.read()).await.unwrap();
            assert!(keys.iter().all(|key| key.revoked_at.is_some()), "{keys:?}");
            let transaction = store.begin().await.unwrap();
            events::insert(&transaction, vec![event(site.organization, one.id)]).await.unwrap();
            transaction.commit().await.unwrap();
            assert!(last_event(store).await > last, "an event's number came again");
        });
    }

    fn a_backup_of_a_busy_server_is_of_one_moment(site: &Site) {
        let count = times(3).min(20);
        for _ in 0..count {
            while_writing(site);
        }
        println!("tried: {count} backups while others write, all whole");
    }
}

/// What came after the backup.
struct Later {
    product: products::Model,
    pair: key_pairs::Model,
}

async fn revoke(store: &Store, organization: Uuid, one: &products::Model) -> Later {
    let at = Some(BEGIN + 5);
    let known = licenses::Entity::find().one(store.read()).await.unwrap().unwrap();
    let mut known = known.into_active_model();
    known.revoked_at = Set(at);
    known.update(store.read()).await.unwrap();
    let pair = pair(organization, 1);
    let product = product(organization, "two", pair.id);
    for product in [one.id, product.id] {
        let serial = format!("LATER-{product}");
        let new = licenses::Model { revoked_at: at, ..license(organization, product, &serial) };
        add::<licenses::Entity>(store, new).await;
    }
    // One that is good is not in the backup: it is gone.
    add::<licenses::Entity>(store, license(organization, one.id, "LATER")).await;
    add::<products::Entity>(store, product.clone()).await;
    add::<key_pairs::Entity>(store, pair.clone()).await;
    let mut same = one.clone().into_active_model();
    same.revocations_version = Set(77);
    same.update(store.read()).await.unwrap();
    add::<documents::Entity>(store, document(one, 78)).await;
    let stolen = signing_keys::Entity::find().one(store.read()).await.unwrap().unwrap();
    let old = key_pairs::Entity::find_by_id(stolen.key_pair_id);
    let old = old.one(store.read()).await.unwrap().unwrap();
    add::<signing_keys::Entity>(store, signing_key(&old, "k2")).await;
    let mut old = old.into_active_model();
    old.epoch = Set(2);
    old.update(store.read()).await.unwrap();
    let mut stolen = stolen.into_active_model();
    stolen.state = Set("compromised".into());
    stolen.compromised_at = Set(at);
    stolen.update(store.read()).await.unwrap();
    let key = api_keys::Entity::find().one(store.read()).await.unwrap().unwrap();
    let mut key = key.into_active_model();
    key.revoked_at = Set(at);
    key.update(store.read()).await.unwrap();
    Later { product, pair }
}

/// Says that it is over, also when a test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writers add a license and an event in one transaction, and raise one number in two rows: a
/// backup that has one without the other is of two moments.
fn while_writing(site: &Site) {
    let shelf = Shelf::new();
    let file = shelf.file("backup");
    let store = &site.server.store;
    let organization = site.organization;
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    let product = product(organization, &Uuid::new_v4().to_string(), Uuid::nil());
    std::thread::scope(|threads| {
        let writers = [(); 3].map(|()| {
            threads.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    site.wait(async {
                        let serial = Uuid::new_v4().to_string();
                        let license = license(organization, product.id, &serial);
                        let event = event(organization, license.id);
                        let transaction = store.begin().await.unwrap();
                        licenses::Entity::insert(license.into_active_model())
                            .exec_without_returning(&transaction)
                            .await
                            .unwrap();
                        tokio::task::yield_now().await;
                        events::insert(&transaction, vec![event]).await.unwrap();
                        transaction.commit().await.unwrap();
                    });
                    written.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        let _end = End(&stop);
        let enough = |count| {
            while written.load(Ordering::Relaxed) < count {
                assert!(!writers.iter().any(|it| it.is_finished()), "a writer has failed");
                std::thread::yield_now();
            }
        };
        enough(50);
        let before = written.load(Ordering::Relaxed);
        site.wait(backup(store, &site.clock, &file)).unwrap();
        enough(before + 1);
    });
    for database in empty() {
        site.wait(async {
            let copy = database.open().await;
            restore(&copy, &file, How::default()).await.unwrap();
            let licenses = licenses::Entity::find().all(copy.read()).await.unwrap();
            let events = events::Entity::find().all(copy.read()).await.unwrap();
            let mut subjects: Vec<&str> = events.iter().map(|it| it.subject.as_str()).collect();
            let mut ids: Vec<String> = licenses.iter().map(|it| it.id.to_string()).collect();
            subjects.sort_unstable();
            ids.sort_unstable();
            assert!(ids.len() >= 50, "only {} licenses", ids.len());
            assert_eq!(ids, subjects, "a license without its event, or the other way round");
            copy.close().await;
        });
    }
}

/// Tries to restore a file into a new database, which stays as it was.
fn refused(file: &Path) -> Error {
    let runtime = runtime();
    let database = Database::sqlite();
    runtime.block_on(async {
        let store = database.open().await;
        let error = restore(&store, file, How::default()).await.unwrap_err();
        let organizations = organizations::Entity::find().all(store.read()).await;
        assert!(organizations.is_err(), "there is a schema: {organizations:?}");
        store.close().await;
        error
    })
}

#[test]
fn a_damaged_or_newer_backup_is_refused_and_nothing_is_made() {
    let shelf = Shelf::new();
    let file = shelf.file("backup");
    let site = Site::sqlite();
    site.wait(async {
        fill(&site.server.store, site.organization, 2).await;
        backup(&site.server.store, &site.clock, &file).await.unwrap();
    });
    let whole = fs::read(&file).unwrap();
    let wrong = shelf.file("wrong");
    let mut tried = 0;
    // Every byte that is another, in steps; every place where it may end.
    for at in (0..whole.len()).step_by(13) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        for bytes in [&bytes[..], &whole[..at]] {
            fs::write(&wrong, bytes).unwrap();
            let code = refused(&wrong).code();
            assert!(matches!(code, Code::Malformed | Code::Schema), "{code:?} at {at}");
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
    fs::write(&wrong, [&whole[..], b"\n"].concat()).unwrap();
    assert_eq!(refused(&wrong).code(), Code::Malformed);
    let text = String::from_utf8(whole).unwrap();
    for (old, new) in
        [("\"format\":1", "\"format\":2"), ("\"m0001_schema\"", "\"m0001_schema\",\"m9999_new\"")]
    {
        fs::write(&wrong, text.replacen(old, new, 1)).unwrap();
        let error = refused(&wrong);
        assert_eq!(error.code(), Code::Malformed, "its SHA-256 is another");
        fs::write(&wrong, sealed(&text.replacen(old, new, 1))).unwrap();
        let error = refused(&wrong);
        assert_eq!(error.code(), Code::Schema);
        assert!(error.detail().contains("newer"), "{error}");
    }
    let error = refused(&shelf.file("none"));
    assert_eq!(error.code(), Code::Setup);
}

/// The text with the hash that it should have.
fn sealed(text: &str) -> String {
    use sha2::{Digest, Sha256};
    let end = text.trim_end().rfind('\n').unwrap() + 1;
    let hash: String =
        Sha256::digest(&text[..end]).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}{{\"sha256\":\"{hash}\"}}\n", &text[..end])
}

#[test]
fn a_backup_is_its_owners_and_takes_no_others_place() {
    use std::os::unix::fs::PermissionsExt;
    let shelf = Shelf::new();
    let file = shelf.file("backup");
    let site = Site::sqlite();
    let store = &site.server.store;
    site.wait(backup(store, &site.clock, &file)).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&file).unwrap();
    let error = site.wait(backup(store, &site.clock, &file)).unwrap_err();
    assert_eq!(error.code(), Code::Setup);
    assert_eq!(fs::read(&file).unwrap(), before);
    let error = site.wait(backup(store, &Clock::default(), &shelf.file("no/backup"))).unwrap_err();
    assert_eq!(error.code(), Code::Setup);
    let names: Vec<_> = fs::read_dir(shelf.0.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

/// What somebody left under the name that a backup has while it is written.
#[test]
fn a_backup_writes_into_nothing_that_was_there() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (shelf, site) = (Shelf::new(), Site::sqlite());
    let (other, draft) = (shelf.file("other"), shelf.file(".backup.part"));
    fs::write(&other, "theirs").unwrap();
    symlink(&other, &draft).unwrap();
    site.wait(backup(&site.server.store, &site.clock, &shelf.file("backup"))).unwrap();
    assert_eq!(fs::read(&other).unwrap(), b"theirs");
    fs::write(shelf.file(".again.part"), "").unwrap();
    let wide = fs::Permissions::from_mode(0o666);
    fs::set_permissions(shelf.file(".again.part"), wide).unwrap();
    let file = shelf.file("again");
    site.wait(backup(&site.server.store, &site.clock, &file)).unwrap();
    let found = fs::symlink_metadata(&file).unwrap();
    assert!(found.is_file() && found.permissions().mode() & 0o777 == 0o600, "{found:?}");
}
