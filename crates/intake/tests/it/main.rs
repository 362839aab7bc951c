//! Intake as a product owner would check it: what is asked, what happens, what is refused.

#[cfg(test)]
mod api;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod field;
#[cfg(test)]
mod field_api;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod random;
#[cfg(test)]
mod sent_back;
