//! Figures of each day, reckoned again and again from what there is: beside the work, by one server
//! of a group, in a fiftieth of its time at most.

use super::counts::HOURS_KEPT;
use super::{DAY, Metric, REVOKED_IN_ALL, SYNCS_BY_HOUR, USAGE, day_of, label};
use crate::api::Shared;
use crate::error::Result;
use crate::store::figures::{self, Model, Put};
use crate::store::reckon::{self, Count, Happened, Licenses, Standing, Whose};
use crate::store::{Engine, Store, meta, products};
use sea_orm::prelude::Uuid;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// How often it is reckoned, at most.
const EVERY: Duration = Duration::from_secs(60);

/// How many times as long as it took it rests.
const REST: u32 = 50;

/// How soon after a start.
const FIRST: Duration = Duration::from_secs(1);

/// When what there is and what happens was reckoned last.
pub const SUMMARY_AT: &str = "figures_at";

/// When what was used was reckoned last.
pub const USAGE_AT: &str = "figures_usage_at";

/// The day up to which the days before are filled.
const FILLED: &str = "figures_filled";

/// Facts that are times: of a clock that was ahead, they are of no use.
pub const TIMES: [&str; 5] = [SUMMARY_AT, USAGE_AT, FILLED, Part::There.turn(), Part::Used.turn()];

/// Seconds before its time in which the one that has the turn has it again.
const GRACE: i64 = 5;

/// Numbers that are written in one transaction: SQLite has one writer.
const AT_ONCE: usize = 5_000;

/// The longest month, and more: usage of older ones may come late, and is found once a day.
const RECENT: i64 = 62 * DAY;

/// What is reckoned by itself, so that what takes long keeps nothing else waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// What there is, and what happens.
    There,
    /// What was used.
    Used,
}

impl Part {
    /// Work that one server of the group does at a time.
    const fn turn(self) -> &'static str {
        match self {
            Part::There => "figures_turn",
            Part::Used => "figures_usage_turn",
        }
    }

    /// Reckons it: with `whole`, of all days as far as the rows tell.
    async fn reckon(self, server: &Shared, whole: bool) -> Result<()> {
        match self {
            Part::There => reckon_there(server, whole).await,
            Part::Used => reckon_used(server, whole).await,
        }
    }
}

/// Reckons until it is told to stop, or dropped.
pub async fn run(server: Shared, stop: watch::Receiver<bool>) {
    let there = keep(Shared::clone(&server), Part::There, stop.clone());
    tokio::join!(there, keep(server, Part::Used, stop));
}

async fn keep(server: Shared, part: Part, mut stop: watch::Receiver<bool>) {
    let mut pause = FIRST;
    let mut whole = true;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = sleep(pause) => {}
        }
        let began = Instant::now();
        match take_turn(&server, part, whole).await {
            Ok(has) => whole &= !has,
            Err(error) => tracing::warn!(code = error.code().slug(), "figures wait: {error}"),
        }
        pause = EVERY.max(began.elapsed().saturating_mul(REST));
        if let Err(error) = rest(&server, part, pause).await {
            tracing::warn!(code = error.code().slug(), "figures: {error}");
        }
    }
}

/// Reckons, unless another server of the group does. Gives whether it did.
async fn take_turn(server: &Shared, part: Part, whole: bool) -> Result<bool> {
    // SQLite is one server's alone.
    if server.store.engine() == Engine::Postgres {
        let (now, seconds) = (server.clock.now(), i64::try_from(EVERY.as_secs()).unwrap_or(60));
        let until = now.saturating_add(seconds).saturating_sub(GRACE);
        let tx = server.store.begin().await?;
        let has = meta::claim(&tx, part.turn(), now, until).await?;
        tx.commit().await?;
        if !has {
            return Ok(false);
        }
    }
    part.reckon(server, whole).await?;
    Ok(true)
}

/// Keeps the turn while it rests longer than usual.
async fn rest(server: &Shared, part: Part, pause: Duration) -> Result<()> {
    if server.store.engine() != Engine::Postgres || pause <= EVERY {
        return Ok(());
    }
    let seconds = i64::try_from(pause.as_secs()).unwrap_or(i64::MAX);
    let until = server.clock.now().saturating_add(seconds).saturating_sub(GRACE);
    let tx = server.store.begin().await?;
    meta::raise(&tx, part.turn(), until).await?;
    tx.commit().await?;
    Ok(())
}

/// Reckons at once, whoever's turn it is, with the reports that this server has counted.
pub async fn refresh(server: &Shared) -> Result<()> {
    both(server, false).await
}

/// The same, of all days as far as the rows tell, as after a start.
pub async fn refresh_all(server: &Shared) -> Result<()> {
    both(server, true).await
}

async fn both(server: &Shared, whole: bool) -> Result<()> {
    server.counts.write(&server.store, server.clock.now()).await?;
    Part::There.reckon(server, whole).await?;
    Part::Used.reckon(server, whole).await
}

async fn reckon_there(server: &Shared, whole: bool) -> Result<()> {
    let (store, now) = (&server.store, server.clock.now());
    let today = day_of(now);
    let filled = meta::number(store.read(), FILLED).await?;
    let all = products::all(store.read()).await?;
    // What the day before has come to is looked at once more, and days without a server are.
    let recent = filled.unwrap_or(today).min(today).saturating_sub(DAY);
    let since = if whole || filled.is_none() { i64::MIN } else { recent };
    let mut set = stand(server, &all, now).await?;
    set.extend(happened(server, since, now).await?);
    let in_use = Metric::SeatsInUse.word();
    let peak = |row: &Model| Model { metric: Metric::SeatsPeak.word().into(), ..row.clone() };
    let peaks: Vec<Model> = set.iter().filter(|row| row.metric == in_use).map(peak).collect();
    let fill = match filled.is_none_or(|day| day < today.saturating_sub(DAY)) {
        true => before(server, filled, now).await?,
        false => Vec::new(),
    };
    write(store, set, Put::Set).await?;
    write(store, peaks, Put::Raise).await?;
    write(store, fill, Put::Fill).await?;
    let tx = store.begin().await?;
    if whole || filled.is_none_or(|day| day < today) {
        figures::clear(&tx, SYNCS_BY_HOUR, now.saturating_sub(HOURS_KEPT)).await?;
        meta::raise(&tx, FILLED, today).await?;
    }
    meta::set(&tx, SUMMARY_AT, now.to_string()).await?;
    tx.commit().await?;
    Ok(())
}

async fn reckon_used(server: &Shared, whole: bool) -> Result<()> {
    let (store, now) = (&server.store, server.clock.now());
    let last = meta::number(store.read(), USAGE_AT).await?;
    let is_new_day = last.is_none_or(|last| last < day_of(now));
    let since = if whole || is_new_day { i64::MIN } else { now.saturating_sub(RECENT) };
    write(store, used(server, since, now).await?, Put::Set).await?;
    let tx = store.begin().await?;
    meta::set(&tx, USAGE_AT, now.to_string()).await?;
    tx.commit().await?;
    Ok(())
}

/// Writes numbers, some at a time, so that whoever else writes has a turn between. Whoever begins
/// anew after a half writes the same.
async fn write(store: &Store, mut rows: Vec<Model>, put: Put) -> Result<()> {
    while !rows.is_empty() {
        let some = rows.split_off(rows.len().saturating_sub(AT_ONCE));
        let tx = store.begin().await?;
        figures::put(&tx, some, put).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Of which organization and product.
type Of = (Uuid, Uuid);

fn row(of: Of, metric: &str, day: i64, value: i64, now: i64) -> Model {
    Model {
        organization_id: of.0,
        metric: metric.to_string(),
        product_id: of.1,
        label: String::new(),
        day,
        value,
        updated_at: now,
    }
}

/// What there is now. A product that has none of it has 0.
async fn stand(server: &Shared, all: &[Of], now: i64) -> Result<Vec<Model>> {
    let (_turn, read) = (server.reckoning.acquire().await, server.store.slow());
    let standing = reckon::standing(read, Licenses::All, now).await?;
    let standing: BTreeMap<Of, Standing> =
        standing.into_iter().map(|it| ((it.organization_id, it.product_id), it)).collect();
    let by = |counts: Vec<Count>| -> BTreeMap<Of, i64> {
        counts.into_iter().map(|it| ((it.organization_id, it.product_id), it.count)).collect()
    };
    let machines = by(reckon::activations(read, Licenses::All).await?);
    let seats = by(reckon::seats(read, Licenses::All, now).await?);
    let mut rows = Vec::with_capacity(all.len().saturating_mul(7));
    for of in all {
        let it = standing.get(of);
        let number = |get: fn(&Standing) -> i64| it.map_or(0, get);
        let of_map = |map: &BTreeMap<Of, i64>| map.get(of).copied().unwrap_or_default();
        for (metric, value) in [
            (Metric::LicensesActive.word(), number(|it| it.active)),
            (Metric::LicensesSuspended.word(), number(|it| it.suspended)),
            (Metric::LicensesExpired.word(), number(|it| it.expired)),
            (REVOKED_IN_ALL, number(|it| it.revoked)),
            (Metric::SeatsGranted.word(), number(|it| it.seats)),
            (Metric::Activations.word(), of_map(&machines)),
            (Metric::SeatsInUse.word(), of_map(&seats)),
        ] {
            rows.push(row(*of, metric, day_of(now), value, now));
        }
    }
    Ok(rows)
}

/// What happened on days from a time on.
async fn happened(server: &Shared, since: i64, now: i64) -> Result<Vec<Model>> {
    let (_turn, read) = (server.reckoning.acquire().await, server.store.slow());
    let mut rows = Vec::new();
    for (metric, what) in [
        (Metric::LicensesCreated, Happened::Created),
        (Metric::LicensesRevoked, Happened::Revoked),
        (Metric::ActivationsNew, Happened::Activated),
        (Metric::ActivationsEnded, Happened::Deactivated),
    ] {
        let counts = reckon::happened(read, what, since).await?;
        rows.extend(counts.into_iter().map(|it| {
            row((it.organization_id, it.product_id), metric.word(), it.day, it.count, now)
        }));
    }
    Ok(rows)
}

/// What was used in periods from a time on.
async fn used(server: &Shared, since: i64, now: i64) -> Result<Vec<Model>> {
    let (_turn, read) = (server.reckoning.acquire().await, server.store.slow());
    let used = reckon::used(read, Whose::All, since).await?;
    let rows = used.into_iter().map(|it| Model {
        label: label(&it.feature, &it.kind),
        ..row((it.organization_id, it.product_id), USAGE, it.period, it.used, now)
    });
    Ok(rows.collect())
}

/// What there was on days on which nobody looked, as far as the rows tell: from the day that is
/// filled, or the first one of all, to yesterday.
async fn before(server: &Shared, filled: Option<i64>, now: i64) -> Result<Vec<Model>> {
    let (_turn, read) = (server.reckoning.acquire().await, server.store.slow());
    let mut rows = Vec::new();
    for (metric, (begun, ended)) in [
        (Metric::LicensesActive, reckon::licenses_active(read).await?),
        (Metric::Activations, reckon::activations_live(read).await?),
    ] {
        let mut changes: BTreeMap<Of, BTreeMap<i64, i64>> = BTreeMap::new();
        let mut change = |it: Count, by: i64| {
            let days = changes.entry((it.organization_id, it.product_id)).or_default();
            let day = days.entry(it.day).or_default();
            *day = day.saturating_add(by);
        };
        begun.into_iter().for_each(|it| change(it, it.count));
        ended.into_iter().for_each(|it| change(it, it.count.saturating_neg()));
        for (of, days) in changes {
            let first = days.keys().next().copied().unwrap_or(now);
            let first = filled.map_or(first, |filled| filled.max(first)).max(earliest(now));
            let mut there: i64 = days.range(..first).map(|(_, by)| by).sum();
            let mut day = first;
            while day < day_of(now) {
                there = there.saturating_add(days.get(&day).copied().unwrap_or_default());
                rows.push(row(of, metric.word(), day, there, now));
                day = day.saturating_add(DAY);
            }
        }
    }
    Ok(rows)
}

/// Days before are not filled: nobody asks for so many.
fn earliest(now: i64) -> i64 {
    day_of(now).saturating_sub(1_100 * DAY)
}
