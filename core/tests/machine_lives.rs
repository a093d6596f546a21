//! Simulated machines: how often a customer would be locked out by repairs, and whether two
//! machines are ever taken for one. `LICENTIA_SOAK` is how many times as much to try.

mod machine_support;

use licentia::machine::{Binding, Options, Report};
use machine_support::{Fixture, PRODUCT, User};

const YEARS: u32 = 5;

fn times() -> usize {
    std::env::var("LICENTIA_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let a = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        b ^ (b >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    /// Once in a thousand is `chance(1)`.
    fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Server,
    Laptop,
    Guest,
    Cloud,
}

/// What makes a machine: the numbers that its ids are made from.
#[derive(Clone, Debug)]
struct Machine {
    sort: Sort,
    install: u64,
    root: u64,
    tag: Option<u64>,
    instance: Option<u64>,
    /// Cards on the board, and the one card in a slot that servers have.
    board_nics: Vec<u64>,
    slot_nic: Option<u64>,
    disks: Vec<u64>,
    /// Whether the root survives the loss of any one disk.
    mirrored: bool,
}

/// A machine of a common sort. Some are made from an image that carries ids, as happens.
fn machine(dice: &mut Dice) -> Machine {
    let sort = match dice.below(10) {
        0..4 => Sort::Server,
        4..6 => Sort::Laptop,
        6..8 => Sort::Guest,
        _ => Sort::Cloud,
    };
    let server = sort == Sort::Server;
    let image = dice.chance(300).then(|| dice.below(8));
    let disks = if server { 2 + dice.below(3) } else { 1 };
    let cards = match sort {
        Sort::Server | Sort::Laptop => 2,
        Sort::Guest | Sort::Cloud => 0,
    };
    Machine {
        sort,
        install: image.unwrap_or_else(|| dice.roll()),
        root: image.unwrap_or_else(|| dice.roll()),
        tag: (server && dice.chance(300)).then(|| dice.roll()),
        instance: (sort == Sort::Cloud).then(|| dice.roll()),
        board_nics: (0..cards).map(|_| dice.roll()).collect(),
        slot_nic: (server && dice.chance(500)).then(|| dice.roll()),
        disks: (0..disks).map(|_| dice.roll()).collect(),
        mirrored: server,
    }
}

impl Machine {
    fn report(&self) -> Report {
        let hex = |n: u64| format!("{:016x}{n:016x}", n.rotate_left(17) ^ 0x5bd1);
        let uuid = |n: u64| {
            let h = hex(n);
            format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
        };
        let mut fixture = Fixture::default()
            .with("/etc/machine-id", &hex(self.install))
            .with("/proc/self/mountinfo", "29 1 8:2 / / rw - ext4 /dev/sda2 rw\n")
            .with("/run/udev/data/b8:2", &format!("E:ID_FS_UUID={}\n", uuid(self.root)))
            .with("/proc/cpuinfo", "vendor_id : GenuineIntel\nmodel : 106\n")
            .with("/sys/class/dmi/id/product_name", "PowerEdge R650")
            .with("/sys/class/dmi/id/chassis_asset_tag", "To be filled by O.E.M.");
        if let Some(tag) = self.tag {
            fixture = fixture.with("/sys/class/dmi/id/chassis_asset_tag", &format!("A{tag:x}"));
        }
        if let Some(id) = self.instance {
            fixture = fixture.with("/run/cloud-init/.instance-id", &format!("i-{id:017x}"));
        }
        for (n, card) in self.board_nics.iter().chain(&self.slot_nic).enumerate() {
            let [a, b, c, ..] = card.to_be_bytes();
            let path = format!("/sys/class/net/eth{n}");
            fixture = fixture
                .with(&format!("{path}/address"), &format!("d0:50:99:{a:02x}:{b:02x}:{c:02x}"))
                .with_link(&format!("{path}/device"), "../../../device");
        }
        for (n, disk) in self.disks.iter().enumerate() {
            let place = format!("/sys/devices/pci/ata{n}/block/sd{n}");
            fixture = fixture
                .with_link(&format!("/sys/block/sd{n}"), &format!("../..{place}"))
                .with(&format!("{place}/device/wwid"), &format!("naa.5{disk:015x}"));
        }
        fixture.report(User::Nobody)
    }

    /// One year of wear. The rates are those of disk and server studies, rounded up. Gives
    /// whether anything changed, and whether the system was installed anew.
    fn live_a_year(&mut self, dice: &mut Dice) -> (bool, bool) {
        let (mut changed, mut reinstalled) = (false, false);
        let metal = matches!(self.sort, Sort::Server | Sort::Laptop);
        if metal && dice.chance(5) {
            self.board_nics.iter_mut().for_each(|card| *card = dice.roll());
            changed = true;
        }
        if self.slot_nic.is_some() && dice.chance(10) {
            self.slot_nic = Some(dice.roll());
            changed = true;
        }
        for n in 0..self.disks.len() {
            if metal && dice.chance(15) {
                self.disks[n] = dice.roll();
                changed = true;
                // Half of those who lose their only disk put an image back; the rest install.
                reinstalled |= !self.mirrored && dice.chance(500);
            }
        }
        if self.sort == Sort::Laptop && dice.chance(50) {
            reinstalled = true;
        }
        if reinstalled {
            (self.install, self.root) = (dice.roll(), dice.roll());
        }
        (changed || reinstalled, reinstalled)
    }
}

/// What became of many lives that were bound at their beginning.
#[derive(Default)]
struct Tally {
    lives: usize,
    reinstalled: usize,
    /// Locked out by repairs alone: first with a license that is renewed each year for the
    /// machine as it then is, then with one that is never renewed.
    renewed: usize,
    perpetual: usize,
    /// Installed anew and locked out.
    anew: usize,
}

impl Tally {
    fn live(&mut self, mut machine: Machine, dice: &mut Dice) {
        let Ok(first) = Binding::bind(&machine.report(), PRODUCT, &Options::default()) else {
            return;
        };
        let mut latest = first.clone();
        let (mut anew, mut renewed, mut perpetual) = (false, false, false);
        for _ in 0..YEARS {
            let (changed, reinstalled) = machine.live_a_year(dice);
            anew |= reinstalled;
            if changed {
                let report = machine.report();
                perpetual |= !first.compare(&report).holds();
                renewed |= !latest.compare(&report).holds();
                latest = Binding::bind(&report, PRODUCT, &Options::default()).unwrap_or(latest);
            }
        }
        self.lives += 1;
        self.reinstalled += usize::from(anew);
        self.anew += usize::from(anew && renewed);
        self.renewed += usize::from(!anew && renewed);
        self.perpetual += usize::from(!anew && perpetual);
    }
}

#[test]
fn repairs_lock_hardly_anyone_out() {
    let mut dice = Dice(7);
    let mut tally = Tally::default();
    while tally.lives < 10_000 * times() {
        let machine = machine(&mut dice);
        if machine.sort != Sort::Guest {
            tally.live(machine, &mut dice);
        }
    }
    let Tally { lives, reinstalled, renewed, perpetual, anew } = tally;
    println!(
        "{lives} machines for {YEARS} years: {renewed} locked out by repairs with a license that \
         is renewed each year, {perpetual} with one that never is; of {reinstalled} installed \
         anew, {anew} need a new license"
    );
    assert!(renewed * 1000 < lives && perpetual * 500 < lives, "{renewed}, {perpetual} of {lives}");
    assert!(reinstalled > 0 && anew > 0, "nothing ever happens in these lives");
}

#[test]
fn two_machines_are_never_one() {
    let mut dice = Dice(11);
    let count = 320 * times().isqrt().max(1);
    let machines: Vec<Machine> = (0..count).map(|_| machine(&mut dice)).collect();
    let reports: Vec<Report> = machines.iter().map(Machine::report).collect();
    let (mut pairs, mut alike) = (0u64, 0u64);
    for (a, bound) in reports.iter().enumerate() {
        let Ok(binding) = Binding::bind(bound, PRODUCT, &Options::default()) else { continue };
        for (b, seen) in reports.iter().enumerate().filter(|(b, _)| *b != a) {
            let comparison = binding.compare(seen);
            pairs += 1;
            alike += u64::from(comparison.matched > 0);
            assert!(!comparison.holds(), "{:?}\n{:?}\n{comparison}", machines[a], machines[b]);
        }
    }
    println!("{pairs} pairs, {alike} of them with parts in common: 0 taken for one");
    assert!(pairs > 50_000 && alike > 500, "{pairs} {alike}");
}
