/// The short lock of every shared structure here: never held across an await, nor while a waker runs.
#[cfg(not(loom))]
pub(crate) use parking_lot::Mutex;

#[cfg(loom)]
pub(crate) use checked::Mutex;

#[cfg(loom)]
mod checked {
    use loom::sync::{Mutex as Inner, MutexGuard};

    /// loom's mutex with the signatures of the ordinary one.
    pub(crate) struct Mutex<T>(Inner<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Inner::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("no thread panics while it holds this lock")
        }
    }
}
