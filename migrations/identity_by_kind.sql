-- Who may see which rows of identity's tables, by the kind of who looks (`app.kind`), and the narrow
-- functions that see more. No statement reads tables of the district family and of the global
-- family together: a distributed engine keeps them on different nodes. Policies of the district
-- family have no sub-query, which such an engine refuses.

-- Functions ----------------------------------------------------------------------------------
-- Whether a person has acted in the transaction's district, whose staff may therefore see them.
CREATE FUNCTION identity_has_acted(of_person uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM public.district_persons arrived
        WHERE arrived.district_id = nullif(current_setting('app.district', true), '')
          AND arrived.person_id = of_person
    );
END
$$;

-- Whether an account holds or held a post in the transaction's district.
CREATE FUNCTION identity_works_here(of_account uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM public.posts post
        WHERE post.district_id = nullif(current_setting('app.district', true), '')
          AND post.account_id = of_account
    );
END
$$;

-- The persons on whose cases a member of staff may not work: the one behind the account and their
-- family, whoever of the two named the other as spouse or child. Persons are compared by blind
-- index too, because a family member's row is not the row of the same human as an account's owner.
CREATE FUNCTION identity_cases_of(of_account uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    own record;
BEGIN
    SELECT person.id, person.id_type, person.id_number_index INTO own
    FROM public.accounts account
    JOIN public.persons person ON person.id = account.person_id
    WHERE account.id = of_account;
    IF NOT FOUND THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(
        SELECT own.id
        UNION
        SELECT person.id FROM public.persons person
        WHERE person.holder AND person.id_type = own.id_type
          AND person.id_number_index = own.id_number_index
        UNION
        SELECT unnest(ARRAY[link.person_id, link.member_id]) FROM public.family_links link
        WHERE link.id_type = own.id_type AND link.member_index = own.id_number_index
        UNION
        SELECT link.member_id FROM public.family_links link WHERE link.person_id = own.id
        UNION
        SELECT person.id FROM public.family_links link
        JOIN public.persons person ON person.holder AND person.id_type = link.id_type
            AND person.id_number_index = link.member_index
        WHERE link.person_id = own.id
        UNION
        SELECT other.member_id FROM public.family_links link
        JOIN public.family_links other ON other.id_type = link.id_type
            AND other.member_index = link.member_index
        WHERE link.person_id = own.id
    );
END
$$;

-- Who a session belongs to and what they hold today, by the district's clock; no row when the
-- session has ended, the account is disabled, or the three do not belong together. plpgsql keeps
-- its plans from call to call: this runs once for every request.
CREATE FUNCTION identity_session(
    of_session uuid, of_account uuid, in_district text, at_time timestamptz
) RETURNS TABLE (kind text, display_name text, person_id uuid, zone text, posts jsonb,
                 family uuid[], own_cases uuid[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    today date;
BEGIN
    SELECT account.kind, account.display_name, account.person_id
    INTO kind, display_name, person_id
    FROM public.sessions session
    JOIN public.accounts account ON account.id = session.account_id
    WHERE session.id = of_session
      AND session.account_id = of_account
      AND session.district_id = in_district
      AND session.revoked_at IS NULL
      AND session.expires_at > at_time
      AND account.disabled_at IS NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT district.zone INTO zone FROM public.districts district WHERE district.id = in_district;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    posts := '{}';
    IF kind = 'staff' THEN
        today := (at_time AT TIME ZONE zone)::date;
        SELECT coalesce(jsonb_object_agg(held.department, held.roles), '{}') INTO posts
        FROM (SELECT post.department, jsonb_agg(DISTINCT post.role) AS roles
              FROM public.posts post
              WHERE post.district_id = in_district
                AND post.account_id = of_account
                AND post.valid_from <= today
                AND (post.valid_to IS NULL OR post.valid_to >= today)
              GROUP BY post.department) held;
        own_cases := public.identity_cases_of(of_account);
    ELSIF person_id IS NOT NULL THEN
        family := ARRAY(SELECT link.member_id FROM public.family_links link
                        WHERE link.person_id = identity_session.person_id);
    END IF;
    RETURN NEXT;
END
$$;

-- The names at work of accounts in the departments in which they hold or held a post, of those asked
-- for. It runs with the rights of who calls it.
CREATE FUNCTION identity_names_at_work(of_departments text[], of_accounts uuid[])
RETURNS TABLE (department text, account_id uuid, display_name text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $$
DECLARE
    places text[];
    people uuid[];
BEGIN
    SELECT array_agg(held.department), array_agg(held.account_id) INTO places, people
    FROM (SELECT DISTINCT post.department, post.account_id
          FROM public.posts post
          WHERE post.district_id = nullif(current_setting('app.district', true), '')
            AND post.account_id = ANY (of_accounts)
            AND post.department = ANY (of_departments)) held;
    RETURN QUERY
    SELECT held.department, account.id, account.display_name
    FROM unnest(places, people) AS held (department, account_id)
    JOIN public.accounts account ON account.id = held.account_id;
END
$$;

-- Whether an enterprise may follow a person: who works for it, as far as is known, and whose
-- consent stands at this moment.
CREATE FUNCTION employer_may_follow(in_district text, of_enterprise uuid, of_person uuid)
RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM public.employments employment
        WHERE employment.district_id = in_district
          AND employment.person_id = of_person
          AND employment.enterprise_id = of_enterprise
          AND employment.ended_on IS NULL
    ) AND EXISTS (
        SELECT FROM public.consents consent
        WHERE consent.district_id = in_district
          AND consent.person_id = of_person
          AND consent.code = 'enterprise'
          AND consent.withdrawn_at IS NULL
    );
END
$$;

-- The sealed names of those whom the transaction's enterprise may follow, of the persons asked for.
CREATE FUNCTION employer_names(of_persons uuid[]) RETURNS TABLE (id uuid, name bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    district CONSTANT text := nullif(current_setting('app.district', true), '');
    enterprise CONSTANT uuid := nullif(current_setting('app.enterprise', true), '')::uuid;
    followed CONSTANT uuid[] := ARRAY(
        SELECT asked.person FROM unnest(of_persons) AS asked (person)
        WHERE public.employer_may_follow(district, enterprise, asked.person)
    );
BEGIN
    RETURN QUERY SELECT person.id, person.name FROM public.persons person
    WHERE person.id = ANY (followed);
END
$$;

REVOKE ALL ON FUNCTION identity_has_acted(uuid), identity_works_here(uuid),
    identity_cases_of(uuid), identity_session(uuid, uuid, text, timestamptz),
    identity_names_at_work(text[], uuid[]),
    employer_may_follow(text, uuid, uuid), employer_names(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity_has_acted(uuid), identity_works_here(uuid),
    identity_cases_of(uuid), identity_session(uuid, uuid, text, timestamptz),
    identity_names_at_work(text[], uuid[]),
    employer_may_follow(text, uuid, uuid), employer_names(uuid[]) TO talent_app;

-- Policies: global family --------------------------------------------------------------------
-- Read: talents themselves and their family; staff and the service who has acted in the district,
-- with their family.
CREATE POLICY family_links_by_kind ON family_links
    USING (CASE nullif(current_setting('app.kind', true), '')
           WHEN 'person' THEN person_id = nullif(current_setting('app.person', true), '')::uuid
           ELSE false END);
CREATE POLICY family_links_acted ON family_links FOR SELECT
    USING (CASE nullif(current_setting('app.kind', true), '')
           WHEN 'staff' THEN identity_has_acted(person_id)
           WHEN 'system' THEN identity_has_acted(person_id)
           ELSE false END);

CREATE POLICY persons_by_kind ON persons FOR SELECT
    USING (CASE nullif(current_setting('app.kind', true), '')
           WHEN 'person' THEN id = nullif(current_setting('app.person', true), '')::uuid
           WHEN 'staff' THEN identity_has_acted(id)
           WHEN 'system' THEN identity_has_acted(id)
           ELSE false END);
-- A holder is never seen as somebody's family: naming a stranger's id opens nothing. The sub-query
-- is held by the policies of its own table, which is what narrows it.
CREATE POLICY persons_family ON persons FOR SELECT
    USING (nullif(current_setting('app.kind', true), '') IN ('person', 'staff', 'system')
           AND NOT holder
           AND EXISTS (SELECT FROM family_links link WHERE link.member_id = persons.id));
CREATE POLICY persons_add ON persons FOR INSERT
    WITH CHECK (CASE nullif(current_setting('app.kind', true), '')
                WHEN 'person' THEN NOT holder
                    OR id = nullif(current_setting('app.person', true), '')::uuid
                ELSE false END);
CREATE POLICY persons_change ON persons FOR UPDATE
    USING (CASE nullif(current_setting('app.kind', true), '')
           WHEN 'person' THEN id = nullif(current_setting('app.person', true), '')::uuid
           ELSE false END);

-- Read: oneself, and, for staff and the service, the district's staff.
CREATE POLICY accounts_by_kind ON accounts
    USING (nullif(current_setting('app.kind', true), '') IN ('person', 'agent', 'staff')
           AND id = nullif(current_setting('app.account', true), '')::uuid);
CREATE POLICY accounts_colleagues ON accounts FOR SELECT
    USING (CASE nullif(current_setting('app.kind', true), '')
           WHEN 'staff' THEN identity_works_here(id)
           WHEN 'system' THEN identity_works_here(id)
           ELSE false END);

CREATE POLICY credentials_by_kind ON credentials
    USING (nullif(current_setting('app.kind', true), '') IN ('person', 'agent', 'staff')
           AND account_id = nullif(current_setting('app.account', true), '')::uuid);

CREATE POLICY sessions_by_kind ON sessions
    USING (nullif(current_setting('app.kind', true), '') IN ('person', 'agent', 'staff')
           AND account_id = nullif(current_setting('app.account', true), '')::uuid);

CREATE POLICY refresh_tokens_by_kind ON refresh_tokens
    USING (nullif(current_setting('app.kind', true), '') IN ('person', 'agent', 'staff')
           AND EXISTS (SELECT FROM sessions WHERE sessions.id = refresh_tokens.session_id));
