pub(crate) fn fail_before_commit() -> rusqlite::Result<()> {
    Ok(())
}
pub(crate) fn fail_after_commit() -> rusqlite::Result<()> {
    Ok(())
}
