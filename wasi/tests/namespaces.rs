//! Tests of directories with mounts of the host: a second mount of the same directory, pseudo file
//! systems, a file system that folds case. Each test runs itself in its own mount namespace, and
//! prints a message if that is not permitted.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use precast_wasi::{Builder, Errno};

mod common;
use common::{CREAT, DIRECTORY, Guest, PATH, READ, READDIR, RESULT, TRUNC, TempDir, WRITE};

/// The environment variable that is set in the namespace.
const INSIDE: &str = "PRECAST_NAMESPACES_INSIDE";

/// Runs `test`, whose name is `name`, in a namespace where mounting is permitted.
fn in_namespace(name: &str, test: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        return test();
    }
    let mount = ["-m", "sh", "-c", "mount -t tmpfs none /mnt"];
    let can_mount = Command::new("unshare").args(mount).output();
    if !can_mount.is_ok_and(|output| output.status.success()) {
        eprintln!("{name} is not run: no right to mount a file system");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private"]);
    command.args(env::var_os("PRECAST_TEST_RUNNER").filter(|runner| !runner.is_empty()));
    command.arg(env::current_exe().unwrap()).args(["--exact", name, "--nocapture"]);
    let output = command.env(INSIDE, "").output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{}{}", text[0], text[1]);
    assert!(text[0].contains("1 passed"), "{}", text[0]);
    eprint!("{}", text[1]);
}

/// Runs a command. `Err`: its error output.
fn try_run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output().map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn mount(arguments: &[&str]) {
    try_run("mount", arguments).unwrap_or_else(|error| panic!("mount {arguments:?}: {error}"));
}

fn bind(from: impl AsRef<Path>, to: &Path) {
    mount(&["--bind", from.as_ref().to_str().unwrap(), to.to_str().unwrap()]);
}

fn write(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Runs a test with each implementation of path resolution.
fn each(builder: Builder, test: impl Fn(&mut Guest)) {
    for portable in [false, true] {
        test(&mut Guest::new(&builder.clone().portable_paths(portable)));
    }
}

/// Asserts that `path` cannot be opened with any flags.
fn assert_refused(guest: &mut Guest, path: &str) {
    for (oflags, rights) in
        [(0, READ), (0, READ | WRITE), (DIRECTORY, READDIR), (0, 0), (TRUNC, WRITE), (CREAT, WRITE)]
    {
        let opened = guest.open_with(path, oflags, rights);
        let refused = matches!(opened, Err(Errno::Perm) | Err(Errno::Notdir) | Err(Errno::Isdir));
        assert!(refused, "{path} {oflags} {rights}: {opened:?}");
    }
}

#[test]
fn a_second_mount_of_a_hidden_directory_is_refused() {
    in_namespace("a_second_mount_of_a_hidden_directory_is_refused", || {
        let temp = TempDir::new("second-mount");
        let at = |path: &str| temp.path().join(path);
        write(at("root/data/secret"), "secret");
        write(at("root/x/y/data/secret"), "secret");
        write(at("shown/shown"), "shown");
        for name in ["alias", "sub/alias", "x-alias"] {
            fs::create_dir_all(at("root").join(name)).unwrap();
        }
        bind(at("root/data"), &at("root/alias"));
        bind(at("root/x/y/data"), &at("root/sub/alias"));
        bind(at("root/x"), &at("root/x-alias"));
        let builder = Builder::new()
            .dir(at("root"), "/")
            .read_only_dir(at("shown"), "/data")
            .read_only_dir(at("shown"), "/x/y/data");
        each(builder, |guest| {
            for path in ["data/shown", "x/y/data/shown"] {
                assert!(guest.open_with(path, 0, READ).is_ok());
            }
            for path in [
                "alias",
                "alias/secret",
                "alias/new",
                "sub/alias/secret",
                "sub/alias",
                "x-alias/y/data",
                "x-alias/y/data/secret",
                "x-alias/y/data/new",
            ] {
                assert_refused(guest, path);
                assert_eq!(guest.at_path("path_unlink_file", path), Errno::Perm, "{path}");
                assert_eq!(guest.at_path("path_create_directory", path), Errno::Perm);
            }
        });
        for path in ["root/data/secret", "root/x/y/data/secret"] {
            assert_eq!(fs::read_to_string(at(path)).unwrap(), "secret");
        }
    });
}

#[test]
fn procfs_is_not_reached_where_it_is_mounted() {
    in_namespace("procfs_is_not_reached_where_it_is_mounted", || {
        let temp = TempDir::new("proc-mounted");
        let at = |path: &str| temp.path().join(path);
        for name in ["p", "d/p", "s", "t", "ordinary", "late"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        for name in ["mem", "hostname", "file"] {
            write(at(name), "");
        }
        mount(&["-t", "proc", "proc", at("p").to_str().unwrap()]);
        mount(&["-t", "tmpfs", "none", at("ordinary").to_str().unwrap()]);
        write(at("ordinary/deep/file"), "bytes");
        // `/proc/self` would be the process `mount`.
        let process = format!("/proc/{}", std::process::id());
        bind(&process, &at("d/p"));
        bind("/sys/kernel", &at("s"));
        bind("/proc/sys/kernel/hostname", &at("hostname"));
        bind(format!("{process}/mem"), &at("mem"));
        bind(at("ordinary/deep/file"), &at("file"));
        let hostname = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let builders = [
            Builder::new().dir(temp.path(), "/"),
            Builder::new().dir(temp.path(), "/").memory_dir("/t"),
            Builder::new().dir(temp.path(), "/").memory_dir("/d/t"),
        ];
        for (i, builder) in builders.into_iter().enumerate() {
            each(builder, |guest| {
                // Mounted after the guest was created.
                bind(&process, &at("late"));
                for path in [
                    "p",
                    "p/.",
                    "p/self/mem",
                    "p/self",
                    "p/version",
                    "d/p",
                    "d/p/mem",
                    "s",
                    "s/fscaps",
                    "mem",
                    "hostname",
                    "late",
                    "late/mem",
                    "late/environ",
                ] {
                    assert_refused(guest, path);
                }
                guest.write(PATH, b"hostnamep");
                for (start, len) in [(0, 8), (8, 1)] {
                    let path = u64::from(PATH) + start;
                    let times = [3, 0, path, len, 0, 0, 5];
                    assert_eq!(guest.call("path_filestat_set_times", &times), Errno::Perm);
                }
                // Ordinary mounts in the directory can be reached.
                for (path, oflags) in [
                    ("ordinary", DIRECTORY),
                    ("ordinary/deep", DIRECTORY),
                    ("ordinary/deep/file", 0),
                    ("ordinary/new", CREAT),
                    ("file", 0),
                ] {
                    let opened = guest.open_with(path, oflags, READ | READDIR);
                    assert!(opened.is_ok(), "{i} {path} {opened:?}");
                }
                assert_eq!(guest.open_with("ordinary/none", 0, READ), Err(Errno::Noent));
                assert_eq!(guest.open_with("ordinary/../..", 0, READ), Err(Errno::Perm));
                assert_eq!(guest.at_path("path_create_directory", "ordinary/d"), Errno::Success);
                assert_eq!(guest.at_path("path_remove_directory", "ordinary/d"), Errno::Success);
                let stat = [3, 1, PATH.into(), 9, RESULT.into()];
                guest.write(PATH, b"p/version");
                assert_eq!(guest.call("path_filestat_get", &stat), Errno::Perm);
                try_run("umount", &[at("late").to_str().unwrap()]).unwrap();
            });
        }
        assert_eq!(fs::read_to_string("/proc/sys/kernel/hostname").unwrap(), hostname);
    });
}

#[test]
fn hidden_files_stay_hidden_in_a_directory_that_folds_case() {
    in_namespace("hidden_files_stay_hidden_in_a_directory_that_folds_case", || {
        let temp = TempDir::new("casefold");
        let at = |path: &str| temp.path().join(path);
        let (image, root) = (at("image"), at("root"));
        fs::File::create(&image).unwrap().set_len(16 << 20).unwrap();
        fs::create_dir(&root).unwrap();
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let steps = [
            try_run("mkfs.ext4", &["-q", "-O", "casefold", "-E", "encoding=utf8", &path(&image)]),
            try_run("mount", &["-o", "loop", &path(&image), &path(&root)]),
            fs::create_dir_all(root.join("fold/x")).map_err(|error| error.to_string()),
            fs::remove_dir(root.join("fold/x")).map_err(|error| error.to_string()),
            try_run("chattr", &["+F", &path(&root.join("fold"))]),
        ];
        if let Some(error) = steps.into_iter().find_map(Result::err) {
            eprintln!("not run: no file system that folds case: {}", error.trim());
            return;
        }
        write(root.join("fold/Straße/secret"), "secret");
        write(root.join("fold/x/data/secret"), "secret");
        write(root.join("fold/other/file"), "file");
        write(at("shown/shown"), "shown");
        let builder = Builder::new()
            .dir(root.join("fold"), "/")
            .read_only_dir(at("shown"), "/Straße")
            .read_only_dir(at("shown"), "/x/data");
        each(builder, |guest| {
            for path in ["Straße/shown", "x/data/shown", "other/file", "OTHER/FILE"] {
                assert!(guest.open_with(path, 0, READ).is_ok(), "{path}");
            }
            for path in [
                "STRASSE",
                "straße/secret",
                "strasse/new",
                "X",
                "X/data/secret",
                "x/DATA",
                "x/Data/secret",
                "X/DATA/new",
            ] {
                assert_refused(guest, path);
            }
        });
        assert_eq!(fs::read_to_string(root.join("fold/Straße/secret")).unwrap(), "secret");
    });
}

/// `/dev/mem` is the memory of the machine, including that of this process.
#[test]
fn memory_of_the_machine_is_not_reached() {
    in_namespace("memory_of_the_machine_is_not_reached", || {
        let temp = TempDir::new("memory-devices");
        let dev = temp.path().join("dev");
        fs::create_dir(&dev).unwrap();
        for (name, minor) in [("mem", "1"), ("kmem", "2"), ("null", "3"), ("port", "4")] {
            let path = dev.join(name);
            if let Err(error) = try_run("mknod", &[path.to_str().unwrap(), "c", "1", minor]) {
                eprintln!("not run: no right to make a device: {}", error.trim());
                return;
            }
        }
        fs::create_dir_all(temp.path().join("root/dev")).unwrap();
        mount(&["--bind", dev.to_str().unwrap(), temp.path().join("root/dev").to_str().unwrap()]);
        for (builder, prefix) in [
            (Builder::new().dir(&dev, "/"), ""),
            (Builder::new().read_only_dir(&dev, "/").memory_dir("/t"), ""),
            (Builder::new().dir(temp.path().join("root"), "/"), "dev/"),
        ] {
            each(builder, |guest| {
                for name in ["mem", "kmem", "port"] {
                    let opened = guest.open_with(&format!("{prefix}{name}"), 0, READ);
                    assert_eq!(opened, Err(Errno::Perm), "{prefix}{name}");
                }
                assert!(guest.open_with(&format!("{prefix}null"), 0, READ).is_ok());
            });
        }
    });
}
