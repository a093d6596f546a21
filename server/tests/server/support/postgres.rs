//! A PostgreSQL that is thrown away: Debian's binaries, a cluster in a folder of its own.
//!
//! One cluster serves every test of the process, each with a database of its own. A shell watches
//! over it and ends it when the pipe to this process closes, however this process ends.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Nothing here takes as long: what waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// The only user. Whoever reaches the socket or the loopback address is believed.
const USER: &str = "licentia";

/// Does what it reads, a word per line, and says when it is done. Without a reader it ends, and
/// so does PostgreSQL: at once, because nobody will look at what it wrote.
const WATCH: &str = r#"
trap '' PIPE
start() { "$1/postgres" -D "$2/data" >>"$2/log" 2>&1 </dev/null & pid=$!; }
end() { kill -"$1" "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
pid=
while read -r word; do
  case $word in
    start) start "$1" "$2" ;;
    stop) end INT ;;
    kill) end KILL ;;
  esac
  echo "$word"
done
end QUIT
rm -rf "$2"
"#;

/// A running cluster; ended, and its folder removed, when it is dropped.
pub struct Cluster {
    bin: PathBuf,
    home: PathBuf,
    port: u16,
    watch: Mutex<Watch>,
    made: AtomicU32,
}

struct Watch {
    child: Child,
    told: BufReader<ChildStdout>,
}

/// Whether each commit waits for the disk.
#[derive(Clone, Copy, PartialEq)]
pub enum Fsync {
    On,
    /// For tests in which nothing is killed.
    Off,
}

/// Where Debian's binaries are, the newest first; `None` says that they are missing.
pub fn binaries() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .map(|(version, path)| (version, path.join("bin")))
        .filter(|(_, bin)| ["initdb", "postgres"].iter().all(|name| bin.join(name).exists()))
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin)
}

/// The cluster of this process; `None` where PostgreSQL is not installed, which is said.
pub fn shared() -> Option<&'static Cluster> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start(Fsync::Off)).as_ref()
}

impl Cluster {
    /// Makes a cluster and starts it; `None` where PostgreSQL is not installed.
    pub fn start(fsync: Fsync) -> Option<Cluster> {
        let Some(bin) = binaries() else {
            let required = std::env::var("LICENTIA_REQUIRE").unwrap_or_default();
            let required = required.split(',').any(|name| name == "postgres");
            assert!(!required, "PostgreSQL is missing (Debian package postgresql)");
            println!("skipped: PostgreSQL (Debian package postgresql)");
            return None;
        };
        let home = home();
        init(&bin, &home);
        let watch = Mutex::new(watch(&bin, &home));
        let mut cluster = Cluster { bin, home, port: 0, watch, made: AtomicU32::new(0) };
        // A free port may be taken before it is used.
        for _ in 0..5 {
            cluster.port = configure(&cluster.home, fsync);
            cluster.say("start");
            if cluster.ready() {
                return Some(cluster);
            }
            cluster.say("stop");
        }
        panic!("PostgreSQL does not start: {}", cluster.log());
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a database that is a copy of another, and gives its name.
    pub fn create(&self, template: &str) -> String {
        let name = format!("test_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        name
    }

    /// Removes a database, whoever is still in it.
    pub fn remove(&self, database: &str) {
        self.sql("postgres", &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"));
    }

    /// Runs a statement as an administrator would, and gives what it answers.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let mut command = Command::new(self.bin.join("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", USER]);
        command.arg("-h").arg(&self.home).args(["-p", &self.port.to_string()]);
        let output = command.args(["-d", database, "-c", statement]).output().unwrap();
        assert!(output.status.success(), "{statement}: {}", text(&output.stderr));
        text(&output.stdout).trim_end().to_string()
    }

    /// Kills the postmaster as `kill -9` does; what it started notices and ends.
    pub fn kill(&self) {
        self.say("kill");
    }

    /// Stops it: who is connected is sent away, what is committed is kept.
    pub fn stop(&self) {
        self.say("stop");
    }

    /// Starts it again.
    pub fn restart(&self) {
        let begun = Instant::now();
        loop {
            // What was killed may take a moment to give up its memory.
            self.say("start");
            if self.ready() {
                return;
            }
            self.say("stop");
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL does not start: {}", self.log());
        }
    }

    /// Waits until it answers; false when it has ended instead.
    fn ready(&self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let mut asked = Command::new(self.bin.join("pg_isready"));
            asked.args(["-q", "-d", "postgres", "-U", USER]).arg("-h").arg(&self.home);
            if asked.args(["-p", &self.port.to_string()]).status().unwrap().success() {
                return true;
            }
            if begun.elapsed() > Duration::from_secs(1) && !self.lives() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// Whether the process that its folder names is there.
    fn lives(&self) -> bool {
        let noted = fs::read_to_string(self.home.join("data/postmaster.pid")).unwrap_or_default();
        let pid = noted.lines().next().unwrap_or_default().trim().to_string();
        !pid.is_empty() && Path::new("/proc").join(pid).exists()
    }

    fn say(&self, word: &str) {
        let mut watch = self.watch.lock().unwrap();
        let input = watch.child.stdin.as_mut().unwrap();
        writeln!(input, "{word}").unwrap();
        let mut done = String::new();
        watch.told.read_line(&mut done).unwrap();
        assert_eq!(done.trim_end(), word, "what watches over PostgreSQL has ended");
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut watch = self.watch.lock().unwrap();
        drop(watch.child.stdin.take());
        let _ = watch.child.wait();
    }
}

/// Who may run it: PostgreSQL refuses to run as root.
fn owner() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if fs::metadata("/proc/self").map(|own| own.uid()).unwrap_or(1) != 0 {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let ids = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Some(ids("postgres").or_else(|| ids("nobody")).expect("an account that is not root"))
}

/// A command that runs as the owner of the cluster.
fn command(program: impl AsRef<std::ffi::OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(home).stdin(Stdio::null());
    command.env_clear().env("PATH", "/usr/bin:/bin");
    // As root this also leaves root's groups.
    if let Some((user, group)) = owner() {
        command.uid(user).gid(group);
    }
    command
}

/// A folder that only the owner of the cluster can read. It is removed by what watches.
fn home() -> PathBuf {
    let folder: TempDir = tempfile::Builder::new().prefix("licentia-pg-").tempdir().unwrap();
    let home = folder.keep();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    if let Some((user, group)) = owner() {
        chown(&home, Some(user), Some(group)).unwrap();
    }
    home
}

fn init(bin: &Path, home: &Path) {
    let mut init = command(bin.join("initdb"), home);
    init.args(["--no-sync", "-E", "UTF8", "--locale=C", "-U", USER, "-A", "trust", "-D"]);
    let output = init.arg(home.join("data")).output().unwrap();
    assert!(output.status.success(), "initdb: {}", text(&output.stderr));
}

/// Writes the settings, with a port that is free.
fn configure(home: &Path, fsync: Fsync) -> u16 {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let fsync = if fsync == Fsync::On { "on" } else { "off" };
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\n\
         fsync = {fsync}\nmax_connections = 300\n\
         shared_buffers = 64MB\nautovacuum_naptime = 5\nmax_wal_size = 1GB\n\
         log_min_messages = warning\n",
        home.display()
    );
    fs::write(home.join("data/postgresql.auto.conf"), settings).unwrap();
    let access = format!("local all {USER} trust\nhost all {USER} 127.0.0.1/32 trust\n");
    fs::write(home.join("data/pg_hba.conf"), access).unwrap();
    port
}

fn watch(bin: &Path, home: &Path) -> Watch {
    let mut shell = command("/bin/sh", home);
    shell.args(["-c", WATCH, "watch"]).arg(bin).arg(home);
    // Away from what a terminal interrupts: it sees the pipe close.
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    let mut child = shell.spawn().unwrap();
    let told = BufReader::new(child.stdout.take().unwrap());
    Watch { child, told }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
