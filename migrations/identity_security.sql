-- Who may see which rows of identity's tables, and the narrow functions that see more.

-- Grants -------------------------------------------------------------------------------------
GRANT SELECT, INSERT, UPDATE ON persons, accounts, credentials, sessions, refresh_tokens,
    departments, consents TO talent_app;
GRANT SELECT, INSERT ON family_links, district_persons TO talent_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON posts TO talent_app;

-- Policies: district family ------------------------------------------------------------------
ALTER TABLE departments ENABLE ROW LEVEL SECURITY;
CREATE POLICY departments_district ON departments
    USING (district_id = nullif(current_setting('app.district', true), ''))
    WITH CHECK (district_id = nullif(current_setting('app.district', true), ''));

ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY posts_district ON posts
    USING (district_id = nullif(current_setting('app.district', true), ''))
    WITH CHECK (district_id = nullif(current_setting('app.district', true), ''));
CREATE POLICY posts_own ON posts FOR SELECT
    USING (account_id = nullif(current_setting('app.account', true), '')::uuid);

-- A talent (app.person is set) sees and gives their own consents; staff read the district's.
ALTER TABLE consents ENABLE ROW LEVEL SECURITY;
CREATE POLICY consents_own ON consents FOR SELECT
    USING (person_id = nullif(current_setting('app.person', true), '')::uuid);
CREATE POLICY consents_district ON consents FOR SELECT
    USING (district_id = nullif(current_setting('app.district', true), '')
           AND nullif(current_setting('app.person', true), '') IS NULL);
CREATE POLICY consents_give ON consents FOR INSERT
    WITH CHECK (district_id = nullif(current_setting('app.district', true), '')
                AND person_id = nullif(current_setting('app.person', true), '')::uuid);
CREATE POLICY consents_withdraw ON consents FOR UPDATE
    USING (district_id = nullif(current_setting('app.district', true), '')
           AND person_id = nullif(current_setting('app.person', true), '')::uuid)
    WITH CHECK (district_id = nullif(current_setting('app.district', true), '')
                AND person_id = nullif(current_setting('app.person', true), '')::uuid);

ALTER TABLE district_persons ENABLE ROW LEVEL SECURITY;
CREATE POLICY district_persons_district ON district_persons FOR SELECT
    USING (district_id = nullif(current_setting('app.district', true), '')
           AND (nullif(current_setting('app.person', true), '') IS NULL
                OR person_id = nullif(current_setting('app.person', true), '')::uuid));
CREATE POLICY district_persons_arrive ON district_persons FOR INSERT
    WITH CHECK (district_id = nullif(current_setting('app.district', true), '')
                AND person_id = nullif(current_setting('app.person', true), '')::uuid);

-- Policies: global family --------------------------------------------------------------------
-- Read: oneself, one's family, and, where nobody acts as a person (staff, the system), who has
-- acted in the district, with their family. The subqueries are held by the policies of their own
-- tables, which is what narrows them.
ALTER TABLE family_links ENABLE ROW LEVEL SECURITY;
CREATE POLICY family_links_own ON family_links
    USING (person_id = nullif(current_setting('app.person', true), '')::uuid)
    WITH CHECK (person_id = nullif(current_setting('app.person', true), '')::uuid);
CREATE POLICY family_links_district ON family_links FOR SELECT
    USING (nullif(current_setting('app.person', true), '') IS NULL
           AND EXISTS (SELECT FROM district_persons arrived
                       WHERE arrived.district_id = nullif(current_setting('app.district', true), '')
                         AND arrived.person_id = family_links.person_id));

ALTER TABLE persons ENABLE ROW LEVEL SECURITY;
CREATE POLICY persons_own ON persons FOR SELECT
    USING (id = nullif(current_setting('app.person', true), '')::uuid);
-- A holder is never seen as somebody's family: naming a stranger's id opens nothing.
CREATE POLICY persons_family ON persons FOR SELECT
    USING (NOT holder
           AND EXISTS (SELECT FROM family_links link WHERE link.member_id = persons.id));
CREATE POLICY persons_district ON persons FOR SELECT
    USING (nullif(current_setting('app.person', true), '') IS NULL
           AND EXISTS (SELECT FROM district_persons arrived
                       WHERE arrived.district_id = nullif(current_setting('app.district', true), '')
                         AND arrived.person_id = persons.id));
CREATE POLICY persons_add ON persons FOR INSERT
    WITH CHECK (CASE WHEN holder THEN id = nullif(current_setting('app.person', true), '')::uuid
                ELSE nullif(current_setting('app.person', true), '') IS NOT NULL END);
CREATE POLICY persons_change ON persons FOR UPDATE
    USING (id = nullif(current_setting('app.person', true), '')::uuid)
    WITH CHECK (id = nullif(current_setting('app.person', true), '')::uuid);

-- Read: oneself, and, for those who act as no person, the district's staff.
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY accounts_own ON accounts
    USING (id = nullif(current_setting('app.account', true), '')::uuid)
    WITH CHECK (id = nullif(current_setting('app.account', true), '')::uuid);
CREATE POLICY accounts_colleagues ON accounts FOR SELECT
    USING (nullif(current_setting('app.person', true), '') IS NULL
           AND EXISTS (SELECT FROM posts
                       WHERE posts.district_id = nullif(current_setting('app.district', true), '')
                         AND posts.account_id = accounts.id));

ALTER TABLE credentials ENABLE ROW LEVEL SECURITY;
CREATE POLICY credentials_own ON credentials
    USING (account_id = nullif(current_setting('app.account', true), '')::uuid)
    WITH CHECK (account_id = nullif(current_setting('app.account', true), '')::uuid);

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
CREATE POLICY sessions_own ON sessions
    USING (account_id = nullif(current_setting('app.account', true), '')::uuid)
    WITH CHECK (account_id = nullif(current_setting('app.account', true), '')::uuid);

ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY refresh_tokens_own ON refresh_tokens
    USING (EXISTS (SELECT FROM sessions WHERE sessions.id = refresh_tokens.session_id))
    WITH CHECK (EXISTS (SELECT FROM sessions WHERE sessions.id = refresh_tokens.session_id));

-- Functions ----------------------------------------------------------------------------------
-- Who a session belongs to and what they hold today, by the district's clock; no row when the
-- session has ended, the account is disabled, or the three do not belong together. plpgsql keeps
-- its plan from call to call: this runs once for every request.
CREATE FUNCTION identity_session(
    of_session uuid, of_account uuid, in_district text, at_time timestamptz
) RETURNS TABLE (kind text, display_name text, person_id uuid, posts jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    RETURN QUERY
    SELECT account.kind, account.display_name, account.person_id,
           (SELECT coalesce(jsonb_object_agg(held.department, held.roles), '{}'::jsonb)
            FROM (SELECT post.department, jsonb_agg(DISTINCT post.role) AS roles
                  FROM public.posts post
                  WHERE post.district_id = district.id
                    AND post.account_id = account.id
                    AND post.valid_from <= today.day
                    AND (post.valid_to IS NULL OR post.valid_to >= today.day)
                  GROUP BY post.department) held)
    FROM public.sessions session
    JOIN public.accounts account ON account.id = session.account_id
    JOIN public.districts district ON district.id = session.district_id
    CROSS JOIN LATERAL (
        SELECT (at_time AT TIME ZONE coalesce(district.settings ->> 'zone', 'Asia/Shanghai'))::date
            AS day
    ) today
    WHERE session.id = of_session
      AND session.account_id = of_account
      AND session.district_id = in_district
      AND session.revoked_at IS NULL
      AND session.expires_at > at_time
      AND account.disabled_at IS NULL;
END
$$;

-- The account behind a credential: `of_subject` is a blind index, which nobody can make who lacks
-- the index key. The secret is a password's argon2id hash.
CREATE FUNCTION identity_login(of_kind text, of_subject bytea)
RETURNS TABLE (account_id uuid, account_kind text, person_id uuid, secret text, disabled boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT account.id, account.kind, account.person_id, credential.secret,
           account.disabled_at IS NOT NULL
    FROM public.credentials credential
    JOIN public.accounts account ON account.id = credential.account_id
    WHERE credential.kind = of_kind AND credential.subject = of_subject
$$;

-- A refresh token and its sign-in, both locked: of several that present the same token one goes
-- first, and the others see that it was used.
CREATE FUNCTION identity_refresh(of_digest bytea)
RETURNS TABLE (token_id uuid, used_at timestamptz, session_id uuid, district_id text,
               expires_at timestamptz, account_id uuid, account_kind text, person_id uuid,
               ended boolean)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT token.id, token.used_at, session.id, session.district_id, session.expires_at,
           account.id, account.kind, account.person_id,
           session.revoked_at IS NOT NULL OR account.disabled_at IS NOT NULL
    FROM public.refresh_tokens token
    JOIN public.sessions session ON session.id = token.session_id
    JOIN public.accounts account ON account.id = session.account_id
    WHERE token.digest = of_digest
    FOR NO KEY UPDATE OF session, token
$$;

-- Whether the person is the one behind the asking account (`app.account`), or of their family:
-- one named the other as spouse or child. Persons are compared by blind index too, because a
-- family member's row is not the row of the same human as an account's owner.
CREATE FUNCTION identity_is_own_case(of_person uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT EXISTS (
        SELECT
        FROM public.accounts account
        JOIN public.persons own ON own.id = account.person_id
        JOIN public.persons other ON other.id = of_person
        WHERE account.id = nullif(current_setting('app.account', true), '')::uuid
          AND (own.id = other.id
               OR (own.id_type = other.id_type AND own.id_number_index = other.id_number_index)
               OR EXISTS (SELECT FROM public.family_links link
                          WHERE link.person_id = own.id
                            AND (link.member_id = other.id
                                 OR link.id_type = other.id_type
                                    AND link.member_index = other.id_number_index))
               OR EXISTS (SELECT FROM public.family_links link
                          WHERE link.person_id = other.id
                            AND link.id_type = own.id_type
                            AND link.member_index = own.id_number_index))
    )
$$;

REVOKE ALL ON FUNCTION identity_session(uuid, uuid, text, timestamptz),
    identity_login(text, bytea), identity_refresh(bytea), identity_is_own_case(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity_session(uuid, uuid, text, timestamptz),
    identity_login(text, bytea), identity_refresh(bytea), identity_is_own_case(uuid) TO talent_app;
