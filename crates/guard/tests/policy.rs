//! The whole policy, role by permission, as the security page prints it.

use guard::{Account, Guard, Kind, Permission};
use vitals::Role;

/// Written by hand, apart from the code: what the code says has to be this.
const EXPECTED: &str = "\
| permission | nurse | charge-nurse | physician | engineer | administrator | service |
| --- | :-: | :-: | :-: | :-: | :-: | :-: |
| see-patients | yes | yes | yes | – | yes | – |
| act-on-alerts | yes | yes | yes | – | – | – |
| set-limits | – | yes | yes | – | – | – |
| associate | yes | yes | yes | – | yes | – |
| see-devices | yes | yes | yes | yes | yes | – |
| manage-devices | – | yes | – | yes | yes | – |
| see-quarantine | – | – | – | yes | yes | – |
| release-quarantine | – | – | – | yes | yes | – |
| manage-profiles | – | – | – | yes | yes | – |
| see-policy | yes | yes | yes | yes | yes | – |
| manage-policy | – | – | yes | – | yes | – |
| read-fhir | yes | yes | yes | – | yes | yes |
| write-fhir | – | – | – | – | yes | yes |
| send-readings | – | – | – | – | yes | yes |
| follow-readings | yes | yes | yes | – | yes | yes |
| see-metrics | – | – | – | yes | yes | yes |
| manage-users | – | – | – | – | yes | – |
";

#[test]
fn the_matrix_is_as_written_here_and_on_the_security_page() {
    assert_eq!(Permission::table(), EXPECTED);
    let page = include_str!("../../../docs/security.md");
    assert!(page.contains(EXPECTED), "docs/security.md needs this table:\n{EXPECTED}");
}

#[test]
fn the_guard_decides_by_the_matrix() {
    let folder = tempfile::tempdir().expect("a folder");
    let locked = Guard::open(folder.path()).expect("a guard");
    let open = Guard::trial(folder.path()).expect("a trial");
    for permission in Permission::ALL {
        for role in Role::ALL {
            let name = "x".to_owned();
            for kind in [Kind::Person, Kind::Service] {
                let account = Account { name: name.clone(), role, kind };
                let allowed = locked.allows(&account, permission);
                assert_eq!(allowed, permission.granted_to(role), "{role:?} {permission:?}");
            }
        }
        assert!(open.allows(&Account::trial(), permission), "{permission:?}");
        assert!(!locked.allows(&Account::trial(), permission), "{permission:?}");
    }
}

#[test]
fn names_read_back_and_differ() {
    for permission in Permission::ALL {
        assert_eq!(Permission::from_name(permission.name()), Some(permission));
    }
    assert_eq!(Permission::from_name("everything"), None);
}
