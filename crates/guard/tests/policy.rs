//! Role by permission, as the security page prints it.

use guard::{Account, Guard, Kind, Permission};
use vitals::Role;

#[test]
fn the_matrix_is_as_written_on_the_security_page() {
    let (page, table) = (include_str!("../../../docs/security.md"), Permission::table());
    assert!(page.contains(&table), "docs/security.md needs this table:\n{table}");
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
                let account = Account::new(&name, role, kind);
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
