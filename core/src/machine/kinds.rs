//! The kinds of parts that a machine is recognized by.

use std::fmt;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $copied:literal;)+) => {
        /// A kind of part. Its word is in licenses and reports, and never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Kind {
            /// Every kind, in the order of a report.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),+];

            /// Its word, such as `machine_id`.
            pub const fn word(self) -> &'static str {
                match self { $(Kind::$name => $word),+ }
            }

            /// Whether a copy of the disk, or another machine of the model, has the same value.
            /// What comes to a binding from such kinds alone tells no two copies apart.
            pub const fn is_copied(self) -> bool {
                match self { $(Kind::$name => $copied),+ }
            }
        }
    };
}

kinds! {
    /// The id that the operating system made when it was installed.
    MachineId = "machine_id", true;
    /// The UUID that the firmware or the hypervisor gives the whole machine.
    Product = "product", false;
    /// The serial number of the whole machine.
    ProductSerial = "product_serial", false;
    /// The serial number of the main board.
    Board = "board", false;
    /// The serial number of the chassis.
    Chassis = "chassis", false;
    /// The asset tags of board and chassis; some clouds put the instance's id there.
    AssetTag = "asset_tag", false;
    /// The id that the cloud gives this instance, as cloud-init noted it at this start.
    Cloud = "cloud", false;
    /// The addresses of physical network cards.
    Nic = "nic", false;
    /// The serial numbers and world wide names of built-in disks.
    Disk = "disk", false;
    /// The id of the root file system.
    RootFs = "root_fs", true;
    /// The model of the processor: many machines have the same.
    Cpu = "cpu", true;
    /// The model of the machine: many machines have the same.
    Model = "model", true;
    /// What the host says the machine is. With it, nothing else is read.
    Identity = "identity", false;
}

impl Kind {
    /// The kind with this word, if this version knows it.
    pub fn from_word(word: &str) -> Option<Kind> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_its_kind_and_no_other() {
        for &kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.word()), Some(kind));
        }
        assert_eq!(Kind::from_word("Machine_ID"), None);
        assert_eq!(Kind::from_word(""), None);
    }
}
