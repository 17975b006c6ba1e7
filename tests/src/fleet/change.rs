//! Changes to a fleet while parts of it are down.

use crate::fleet::Fleet;
use crate::fleet::plan::CONTROL;

impl Fleet {
    /// Adds arguments to control's command line, from its next start on.
    pub fn add_control_arguments(&mut self, arguments: &[&str]) {
        let more = arguments.iter().map(ToString::to_string);
        self.control_arguments.extend(more);
    }

    /// Removes the scripted source: from its next start on, control has only the files.
    pub const fn end_script(&mut self) {
        self.control_program = CONTROL;
    }

    /// Adds arguments to a proxy's command line, from its next start on.
    pub fn add_proxy_arguments(&mut self, proxy: usize, arguments: &[&str]) {
        let more = arguments.iter().map(ToString::to_string);
        self.arguments[proxy].extend(more);
    }

    /// Writes the files of control and of the first proxy as one `main.yaml`, for the one-box command. Returns its path.
    ///
    /// # Panics
    /// If the files cannot be read or written.
    pub fn one_box(&self) -> String {
        let read = |name: &str| {
            let file = self.folder().join(name);
            std::fs::read_to_string(file).expect("a planned file is there")
        };
        let (control, proxy) = (read("control.yaml"), read("proxy-0.yaml"));
        let proxy: String = proxy
            .lines()
            .filter(|line| !line.starts_with("state_dir"))
            .map(|line| format!("{line}\n"))
            .collect();
        let file = self.folder().join("main.yaml");
        std::fs::write(&file, control + &proxy).expect("a configuration can be written");
        file.display().to_string()
    }
}
