//! Whose container this is, by the traces that runtimes leave.

use super::parts::View;

/// The words, in the order in which they are tried. Kubernetes first: its pods carry the traces
/// of what runs them.
const WORDS: &[&str] = &["kubernetes", "podman", "docker", "systemd-nspawn", "lxc"];

/// A container without a word of its own.
const OTHER: &str = "unknown";

/// Files that runtimes put into containers, and whose they are. An image that was made from a
/// container keeps them, so they say nothing on a system whose root is a disk of its own.
const FILES: &[(&str, &str)] = &[
    ("/run/secrets/kubernetes.io", "kubernetes"),
    ("/var/run/secrets/kubernetes.io", "kubernetes"),
    ("/run/.containerenv", "podman"),
    ("/.dockerenv", "docker"),
    ("/dev/lxd/sock", "lxc"),
];

/// Letters of the ids that Docker, Podman and containerd give containers, in hexadecimal. Names
/// of services are next to them, and no service is called like this.
const ID_LEN: usize = 64;

/// The runtime's word, or `unknown` for one without; `None` outside of containers.
pub(super) fn word(view: &View<'_>) -> Option<&'static str> {
    let over = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];
    let given = view.mounts().iter().filter(|mount| over.contains(&mount.point.as_str()));
    let groups = view.hint("/proc/self/cgroup").unwrap_or_default();
    let mut traces: Vec<&str> = given.filter_map(|mount| of_mount(&mount.root)).collect();
    // Each line is number, controllers and path.
    let paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    traces.extend(paths.filter_map(of_group));
    // systemd as a container's first process, and systemd-nspawn, say what they run in.
    let said = [view.word("/run/systemd/container"), view.word("/run/host/container-manager")];
    let root = view.mounts().iter().rfind(|mount| mount.point == "/");
    let own_disk = root.is_some_and(|mount| mount.from.starts_with("/dev/") && mount.root == "/");
    for name in WORDS {
        let by_file = || FILES.iter().any(|(path, whose)| whose == name && view.exists(path));
        if said.iter().any(|word| word == name) || traces.contains(name) || (!own_disk && by_file())
        {
            return Some(name);
        }
    }
    let lxcfs = |kind: &str, point: &str| kind == "fuse.lxcfs" && point.starts_with("/proc/");
    if view.mounts().iter().any(|mount| lxcfs(&mount.kind, &mount.point)) {
        return Some("lxc");
    }
    let another = said.iter().any(|word| !word.is_empty() && word != "wsl");
    let overlay = root.is_some_and(|mount| mount.kind == "overlay");
    // A live system has an overlay too, but no runtime's control group.
    (another || (overlay && traces.contains(&OTHER))).then_some(OTHER)
}

/// Whose container a control group is, by its path.
fn of_group(path: &str) -> Option<&'static str> {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let alone = |name: &&str| by_name(name);
    let pairs = names.windows(2).filter_map(|pair| match pair {
        [parent, child] => by_pair(parent, child),
        _ => None,
    });
    let found: Vec<&str> = names.iter().filter_map(alone).chain(pairs).collect();
    WORDS.iter().chain(&[OTHER]).find(|word| found.contains(word)).copied()
}

/// By one name on the path: `docker-<id>.scope`, `libpod-<id>.scope`, `kubepods.slice`, ….
fn by_name(name: &str) -> Option<&'static str> {
    let scope = |prefix: &str| {
        let id = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".scope"));
        id.is_some_and(is_id)
    };
    let bare = |prefix: &str| name.strip_prefix(prefix).is_some_and(is_id);
    let pods = name == "kubepods"
        || name == "kubepods.slice"
        || name.ends_with("-kubepods.slice")
        || (name.starts_with("kubepods-") && name.contains(".slice"));
    if pods {
        Some("kubernetes")
    } else if ["libpod-", "libpod-payload-"].iter().any(|prefix| scope(prefix) || bare(prefix)) {
        Some("podman")
    } else if scope("docker-") {
        Some("docker")
    } else if name.strip_prefix("lxc.payload.").is_some_and(|name| !name.is_empty()) {
        Some("lxc")
    } else if ["crio-", "nerdctl-", "cri-containerd-"].iter().any(|prefix| scope(prefix)) {
        Some(OTHER)
    } else {
        None
    }
}

/// By a name and the one below it: `docker/<id>`, `lxc/<name>`, ….
fn by_pair(parent: &str, child: &str) -> Option<&'static str> {
    match parent {
        "docker" if is_id(child) => Some("docker"),
        "lxc" | "lxc.payload" => Some("lxc"),
        "nerdctl" | "containerd" | "buildkit" => Some(OTHER),
        _ => None,
    }
}

/// Whose container a file was laid into, by the folder on the host that it is from.
fn of_mount(root: &str) -> Option<&'static str> {
    let follows = |mark: &str| {
        root.split_once(mark).is_some_and(|(_, rest)| is_id(rest.split('/').next().unwrap_or("")))
    };
    if root.contains("/kubelet/pods/") {
        Some("kubernetes")
    } else if follows("/overlay-containers/") {
        Some("podman")
    } else if follows("/containers/") {
        Some("docker")
    } else {
        None
    }
}

fn is_id(text: &str) -> bool {
    text.len() == ID_LEN && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> String {
        "0123456789abcdef".repeat(4)
    }

    #[test]
    fn control_groups_of_containers_are_known() {
        let id = id();
        for (path, word) in [
            (format!("/docker/{id}"), "docker"),
            (format!("/system.slice/docker-{id}.scope"), "docker"),
            (format!("/docker/{id}/init.scope"), "docker"),
            (format!("/machine.slice/libpod-{id}.scope/container"), "podman"),
            (format!("/libpod_parent/libpod-{id}"), "podman"),
            (format!("/system.slice/web.service/libpod-payload-{id}"), "podman"),
            (format!("/kubepods/besteffort/pod1/{id}"), "kubernetes"),
            (format!("/kubepods.slice/kubepods-pod1.slice/docker-{id}.scope"), "kubernetes"),
            ("/kubelet.slice/kubelet-kubepods.slice/x".to_owned(), "kubernetes"),
            (
                format!("/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:{id}"),
                "kubernetes",
            ),
            (format!("/../../kubepods-besteffort-pod1.slice/crio-{id}.scope"), "kubernetes"),
            ("/lxc/web".to_owned(), "lxc"),
            ("/lxc.payload.web/init.scope".to_owned(), "lxc"),
            ("/lxc.payload/web".to_owned(), "lxc"),
            (format!("/system.slice/containerd/default-{id}"), OTHER),
            (format!("/system.slice/nerdctl-{id}.scope"), OTHER),
        ] {
            assert_eq!(of_group(&path), Some(word), "{path}");
        }
    }

    #[test]
    fn services_of_a_host_are_no_containers() {
        let id = id();
        for path in [
            "/".to_owned(),
            "/system.slice/docker-registry.service".to_owned(),
            "/system.slice/docker.service".to_owned(),
            "/system.slice/docker-1.scope".to_owned(),
            format!("/system.slice/docker-{id}.service"),
            format!("/system.slice/docker-{}.scope", "g".repeat(64)),
            "/docker/buildx".to_owned(),
            "/system.slice/libpod-exporter.service".to_owned(),
            format!("/machine.slice/libpod-conmon-{id}.scope"),
            "/system.slice/kubepods-exporter.service".to_owned(),
            "/system.slice/lxcfs.service".to_owned(),
            "/system.slice/lxc.service".to_owned(),
            "/lxc.monitor.web".to_owned(),
            "/lxc.monitor/web".to_owned(),
            "/system.slice/crio-metrics.service".to_owned(),
            "/system.slice/containerd.service".to_owned(),
        ] {
            assert_eq!(of_group(&path), None, "{path}");
        }
    }

    #[test]
    fn files_from_a_runtimes_folder_tell_of_it() {
        let id = id();
        for (root, word) in [
            (format!("/var/lib/docker/containers/{id}/hosts"), Some("docker")),
            (format!("/data/containers/{id}/hosts"), Some("docker")),
            (format!("/containers/overlay-containers/{id}/userdata/hosts"), Some("podman")),
            ("/var/lib/kubelet/pods/1/etc-hosts".to_owned(), Some("kubernetes")),
            ("/opt/docker/hosts".to_owned(), None),
            ("/srv/lxc/web/hosts".to_owned(), None),
            ("/srv/containers/web/hosts".to_owned(), None),
            ("/etc/hosts".to_owned(), None),
        ] {
            assert_eq!(of_mount(&root), word, "{root}");
        }
    }
}
