-- As before, and which version of the district's calendar is the newest: nearly everything that is
-- shown after it has dates. It has other columns than before, so it is another function.
CREATE FUNCTION identity_session(
    of_session uuid, of_account uuid, in_district text, at_time timestamptz
) RETURNS TABLE (kind text, display_name text, person_id uuid, zone text, calendar uuid,
                 posts jsonb, family uuid[], own_cases uuid[])
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
    calendar := (SELECT published.id FROM public.calendars published
                 WHERE published.district_id = in_district AND published.code = 'default'
                 ORDER BY published.version DESC
                 LIMIT 1);
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
        family := public.identity_family_of(person_id);
    END IF;
    RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION identity_session(uuid, uuid, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity_session(uuid, uuid, text, timestamptz) TO talent_app;
