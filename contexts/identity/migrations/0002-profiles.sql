-- One document per user: what every context has said about that user. Of events only, so it can be made anew from them.
CREATE TABLE identity.profiles (
  user_id uuid PRIMARY KEY,
  document json NOT NULL
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE ON identity.profiles TO provender_identity;
